// Virtual machines, the host's side: making them, their memory slots, their end.

// kvm_create_vm: x0 = type; x0 = descriptor or a negative errno.
// x19 = type, x20 = struct kvm, x21 = errno
kvm_create_vm:
        enter
        mov     x19, x0
        ldr     w1, =KVM_VM_TYPE_MASK
        bics    xzr, x19, x1
        b.ne    7f
        bl      alloc_page
        cbz     x0, 8f
        mov     x20, x0
        bl      kvm_share_hyp
        mov     x21, x0
        cbnz    x0, 5f
        mov     x0, x20
        mov     x1, x19
        bl      kvm_arch_init_vm
        mov     x21, x0
        cbnz    x0, 4f
        mov     x1, #1
        str     x1, [x20, #kvm.users_count]
        mov     x0, #FILE_VM
        mov     x1, x20
        mov     x2, #0
        bl      open_as
        tbz     x0, #63, 9f
        mov     x21, x0
        mov     x0, x20
        bl      kvm_put_kvm
        mov     x0, x21
        leave
4:      mov     x0, x20
        bl      kvm_unshare_hyp
5:      mov     x0, x20
        bl      put_page
        mov     x0, x21
9:      leave
7:      mov     x0, #-EINVAL
        leave
8:      mov     x0, #-ENOMEM
        leave

// kvm_arch_init_vm: x0 = struct kvm, x1 = type; x0 = 0 or a negative errno. Without pKVM nobody can be protected.
kvm_arch_init_vm:
        ldr     x2, kvm_mode
        cmp     x2, #KVM_MODE_PROTECTED
        b.eq    pkvm_init_host_vm
        tbz     x1, #31, pkvm_init_host_vm
        mov     x0, #-EINVAL
        ret

// kvm_put_kvm: x0 = struct kvm. With the last user the VM ends.
kvm_put_kvm:
        enter
        mov     x19, x0
        ldr     x1, [x19, #kvm.users_count]
        subs    x1, x1, #1
        str     x1, [x19, #kvm.users_count]
        b.ne    9f
        bl      pkvm_destroy_hyp_vm
        mov     x20, #0
1:      add     x1, x19, #kvm.vcpus
        ldr     x0, [x1, x20, lsl #3]
        cbz     x0, 2f
        bl      kvm_vcpu_destroy
2:      add     x20, x20, #1
        cmp     x20, #MINI_MAX_VCPUS
        b.lo    1b
        mov     x0, x19
        bl      kvm_unshare_hyp
        mov     x0, x19
        bl      put_page
9:      leave

kvm_vm_release:
        ldr     x0, [x0, #file.object]
        b       kvm_put_kvm

// kvm_vm_ioctl: x0 = file, x1 = request, x2 = argument.
kvm_vm_ioctl:
        enter
        ldr     x19, [x0, #file.object]
        mov     x20, x2
        ldr     w3, =KVM_CREATE_VCPU
        cmp     w1, w3
        b.eq    1f
        ldr     w3, =KVM_SET_USER_MEMORY_REGION
        cmp     w1, w3
        b.eq    2f
        ldr     w3, =KVM_ARM_PREFERRED_TARGET
        cmp     w1, w3
        b.eq    3f
        ldr     w3, =KVM_CHECK_EXTENSION
        cmp     w1, w3
        b.eq    4f
        mov     x0, #-EINVAL
        leave
1:      mov     x0, x19
        mov     x1, x20
        bl      kvm_create_vcpu
        leave
2:      mov     x0, x19
        mov     x1, x20
        bl      kvm_set_memory_region
        leave
3:      mov     x0, x20
        adr     x1, preferred_target
        mov     x2, #32
        bl      copy_to_user
        leave
4:      mov     x0, x20
        bl      kvm_check_extension
        leave

        .section .rodata
        .balign 8
preferred_target:                               // struct kvm_vcpu_init
        .word   KVM_ARM_TARGET_GENERIC_V8
        .skip   28
        .text

// kvm_set_memory_region: x0 = struct kvm, x1 = struct kvm_userspace_memory_region (user).
// x19 = kvm, x20 = memslot, x21 = base gfn, x22 = pages, x23 = user address, x24 = flags
kvm_set_memory_region:
        enter
        sub     sp, sp, #32
        mov     x19, x0
        mov     x0, sp
        mov     x2, #32
        bl      copy_from_user
        cbnz    x0, 9f
        ldp     w1, w24, [sp]                   // slot, flags
        ldp     x21, x22, [sp, #8]
        ldr     x23, [sp, #24]
        cmp     w1, #KVM_MEMSLOTS
        b.hs    8f
        tst     x24, #~KVM_MEM_FLAGS
        b.ne    8f
        orr     x2, x21, x22
        orr     x2, x2, x23
        tst     x2, #PAGE_MASK
        b.ne    8f
        adds    x2, x23, x22
        b.cs    8f
        lsr     x2, x2, #39
        cbnz    x2, 8f
        adds    x2, x21, x22
        b.cs    8f
        lsr     x21, x21, #PAGE_SHIFT
        lsr     x22, x22, #PAGE_SHIFT
        add     x20, x19, #kvm.memslots
        add     x20, x20, x1, lsl #5
        ldr     x3, [x20, #memslot.npages]
        cbz     x22, 3f
        cbnz    x3, 4f
        sub     x2, x2, #1
        lsr     x2, x2, #IPA_BITS
        cbnz    x2, 7f
        // A new slot.
1:      bl      gfn_range_taken
        cbnz    x0, 6f
        ldr     x1, [x19, #kvm.arch.pkvm.is_protected]
        cbz     x1, 2f
        mov     x0, #-EPERM
        cbnz    x24, 9f                         // no read-only memory, no log of writes
2:      stp     x21, x22, [x20]
        stp     x23, x24, [x20, #memslot.userspace_addr]
        mov     x0, #0
        b       9f
        // Size 0: the slot goes.
3:      cbz     x3, 8f
        ldr     x1, [x19, #kvm.arch.pkvm.is_protected]
        ldr     x2, [x19, #kvm.hyp_created]
        tst     x1, x2
        mov     x0, #-EPERM                     // a protected guest that has run keeps what it has
        b.ne    9f
        mov     x0, x19
        mov     x1, x20
        bl      unmap_memslot
        stp     xzr, xzr, [x20]
        mov     x0, #0
        b       9f
        // A slot that is there already: other flags, or another place in the guest.
4:      ldp     x4, x5, [x20, #memslot.userspace_addr]
        cmp     x3, x22
        b.ne    8f
        cmp     x4, x23
        b.ne    8f
        eor     x5, x5, x24
        tbnz    x5, #1, 8f                      // KVM_MEM_READONLY cannot change
        ldr     x4, [x20]
        cmp     x4, x21
        b.eq    5f
        ldr     x1, [x19, #kvm.arch.pkvm.is_protected]
        ldr     x2, [x19, #kvm.hyp_created]
        tst     x1, x2
        mov     x0, #-EPERM
        b.ne    9f
        str     xzr, [x20, #memslot.npages]     // so that it is not in its own way
        bl      gfn_range_taken
        str     x22, [x20, #memslot.npages]
        cbnz    x0, 6f
        mov     x0, x19
        mov     x1, x20
        bl      unmap_memslot
5:      str     x21, [x20]
        str     x24, [x20, #memslot.flags]
        mov     x0, #0
        b       9f
6:      mov     x0, #-EEXIST
        b       9f
7:      mov     x0, #-EFAULT
        b       9f
8:      mov     x0, #-EINVAL
9:      add     sp, sp, #32
        leave

// gfn_range_taken: x19 = kvm, x21 = first gfn, x22 = pages; x0 = 1 when a slot has some of them.
gfn_range_taken:
        add     x0, x19, #kvm.memslots
        add     x1, x0, #KVM_MEMSLOTS * memslot.sizeof
        add     x4, x21, x22
1:      ldp     x2, x3, [x0], #memslot.sizeof
        cbz     x3, 2f
        add     x3, x3, x2
        cmp     x21, x3
        b.hs    2f
        cmp     x2, x4
        b.lo    3f
2:      cmp     x0, x1
        b.lo    1b
        mov     x0, #0
        ret
3:      mov     x0, #1
        ret

// gfn_to_memslot: x0 = kvm, x1 = gfn; x0 = the slot or 0.
gfn_to_memslot:
        add     x2, x0, #kvm.memslots
        add     x3, x2, #KVM_MEMSLOTS * memslot.sizeof
1:      ldp     x4, x5, [x2]
        sub     x4, x1, x4
        cmp     x4, x5
        b.lo    2f
        add     x2, x2, #memslot.sizeof
        cmp     x2, x3
        b.lo    1b
        mov     x0, #0
        ret
2:      mov     x0, x2
        ret
