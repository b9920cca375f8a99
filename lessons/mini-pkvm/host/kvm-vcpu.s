// Virtual processors, the host's side: making them, resetting them, their end.

// kvm_create_vcpu: x0 = struct kvm, x1 = id; x0 = descriptor or a negative errno.
// x19 = kvm, x20 = id, x21 = struct kvm_vcpu, x22 = struct kvm_run, x23 = errno
kvm_create_vcpu:
        enter
        mov     x19, x0
        mov     x20, x1
        cmp     x1, #MINI_MAX_VCPUS
        b.hs    8f
        add     x1, x19, #kvm.vcpus
        ldr     x2, [x1, x20, lsl #3]
        mov     x0, #-EEXIST
        cbnz    x2, 9f
        bl      alloc_page
        cbz     x0, 7f
        mov     x21, x0
        bl      alloc_page
        mov     x22, x0
        mov     x23, #-ENOMEM
        cbz     x22, 5f
        mov     x0, x21
        bl      kvm_share_hyp
        mov     x23, x0
        cbnz    x0, 4f
        str     x19, [x21, #kvm_vcpu.kvm]
        str     x22, [x21, #kvm_vcpu.run]
        str     x20, [x21, #kvm_vcpu.vcpu_id]
        ldr     x1, [x19, #kvm.created_vcpus]
        str     x1, [x21, #kvm_vcpu.vcpu_idx]
        mov     x0, #FILE_VCPU
        mov     x1, x21
        mov     x2, #0
        bl      open_as
        tbnz    x0, #63, 3f
        ldr     x1, [x19, #kvm.created_vcpus]
        add     x1, x1, #1
        str     x1, [x19, #kvm.created_vcpus]
        ldr     x1, [x19, #kvm.users_count]
        add     x1, x1, #1
        str     x1, [x19, #kvm.users_count]
        add     x1, x19, #kvm.vcpus
        str     x21, [x1, x20, lsl #3]
        leave
3:      mov     x23, x0
        mov     x0, x21
        bl      kvm_unshare_hyp
4:      mov     x0, x22
        bl      put_page
5:      mov     x0, x21
        bl      put_page
        mov     x0, x23
        leave
7:      mov     x0, #-ENOMEM
        leave
8:      mov     x0, #-EINVAL
9:      leave

// The descriptor and the mapping of struct kvm_run are gone; the vCPU itself lives as long as its VM.
kvm_vcpu_release:
        ldr     x0, [x0, #file.object]
        ldr     x0, [x0, #kvm_vcpu.kvm]
        b       kvm_put_kvm

// vcpu_run_page: x0 = struct kvm_vcpu; x0 = its struct kvm_run, one page.
vcpu_run_page:
        ldr     x0, [x0, #kvm_vcpu.run]
        ret

// kvm_vcpu_destroy: x0 = struct kvm_vcpu, which the hypervisor has let go.
kvm_vcpu_destroy:
        enter
        mov     x19, x0
        add     x0, x19, #kvm_vcpu.arch.pkvm_memcache.head
        bl      free_hyp_memcache
        mov     x0, x19
        bl      kvm_unshare_hyp
        ldr     x0, [x19, #kvm_vcpu.run]
        bl      put_page
        mov     x0, x19
        bl      put_page
        leave

// kvm_vcpu_ioctl: x0 = file, x1 = request, x2 = argument.
kvm_vcpu_ioctl:
        enter
        ldr     x19, [x0, #file.object]
        mov     x20, x2
        ldr     w3, =KVM_RUN
        cmp     w1, w3
        b.eq    1f
        ldr     w3, =KVM_ARM_VCPU_INIT
        cmp     w1, w3
        b.eq    2f
        mov     x21, #1
        ldr     w3, =KVM_SET_ONE_REG
        cmp     w1, w3
        b.eq    3f
        mov     x21, #0
        ldr     w3, =KVM_GET_ONE_REG
        cmp     w1, w3
        b.eq    3f
        ldr     w3, =KVM_GET_REG_LIST
        cmp     w1, w3
        b.eq    4f
8:      mov     x0, #-EINVAL
        leave
1:      cbnz    x20, 8b
        mov     x0, x19
        bl      kvm_arch_vcpu_ioctl_run
        leave
2:      mov     x0, x19
        mov     x1, x20
        bl      kvm_vcpu_init
        leave
3:      mov     x0, x19
        mov     x1, x20
        mov     x2, x21
        bl      kvm_one_reg
        leave
4:      mov     x0, x19
        mov     x1, x20
        bl      kvm_reg_list
        leave

// kvm_vcpu_init: x0 = struct kvm_vcpu, x1 = struct kvm_vcpu_init (user): target, then 7 words of features.
kvm_vcpu_init:
        enter
        sub     sp, sp, #32
        mov     x19, x0
        mov     x0, sp
        mov     x2, #32
        bl      copy_from_user
        cbnz    x0, 9f
        ldp     w1, w20, [sp]
        cmp     w1, #KVM_ARM_TARGET_GENERIC_V8
        b.ne    8f
        mov     w2, #KVM_ARM_VCPU_FEATURES
        bics    wzr, w20, w2
        b.ne    8f
        ldr     w1, [sp, #8]
        ldp     x2, x3, [sp, #16]
        orr     x2, x2, x3
        orr     x1, x1, x2
        ldr     w2, [sp, #12]
        orr     x1, x1, x2
        cbnz    x1, 8f
        // The features of the first time are those of all times; POWER_OFF is none.
        and     x1, x20, #~1
        ldr     x2, [x19, #kvm_vcpu.initialized]
        cbz     x2, 1f
        ldr     x2, [x19, #kvm_vcpu.features]
        cmp     x1, x2
        b.ne    8f
1:      str     x1, [x19, #kvm_vcpu.features]
        mov     x1, #1
        str     x1, [x19, #kvm_vcpu.initialized]
        and     x1, x20, #1
        str     x1, [x19, #kvm_vcpu.stopped]
        mov     x0, x19
        bl      kvm_reset_vcpu
        mov     x0, #0
        b       9f
8:      mov     x0, #-EINVAL
9:      add     sp, sp, #32
        leave

// kvm_reset_vcpu: x0 = struct kvm_vcpu. Zero; but PSTATE is EL1 with everything masked, SCTLR_EL1 has everything off,
// and what no guest may rely on has Linux's mark, so that one that does is found out.
        .equ    RESET_UNKNOWN, 0x1de7ec7edbadc0de
        .equ    SCTLR_EL1_RESET, 0x00c50078
kvm_reset_vcpu:
        mov     x1, x0
        add     x2, x0, #kvm_cpu_context.sizeof
1:      str     xzr, [x1], #8
        cmp     x1, x2
        b.lo    1b
        adr     x1, system_registers
        ldr     x4, =RESET_UNKNOWN
2:      ldrh    w2, [x1]
        ldrh    w3, [x1, #2]
        cbz     w2, 4f
        add     x1, x1, #4
        tbz     w3, #0, 2b
        sub     x3, x3, #1
        str     x4, [x0, x3]
        b       2b
4:      ldr     w1, =SCTLR_EL1_RESET
        str     x1, [x0, #kvm_vcpu.arch.ctxt + kvm_cpu_context.sctlr_el1]
        mov     x1, #PSTATE_EL1_MASKED
        str     x1, [x0, #kvm_vcpu.arch.ctxt.regs.pstate]
        str     xzr, [x0, #kvm_vcpu.mmio_needed]
        ret
