// The guest touched an address that its stage 2 does not have: memory that it gets now, or a device of the process's.

        .equ    ESR_ISV, 1 << 24                // the syndrome describes the access:
        .equ    ESR_SAS_SHIFT, 22               // log2 of its bytes
        .equ    ESR_SSE, 21                     // loads sign-extend
        .equ    ESR_SRT_SHIFT, 16               // register
        .equ    ESR_SF, 15                      // 64-bit register
        .equ    ESR_EC_IABT_EXTERNAL, (ESR_EC_IABT_CUR << ESR_EC_SHIFT) | 0x10
        .equ    ESR_EC_DABT_EXTERNAL, (ESR_EC_DABT_CUR << ESR_EC_SHIFT) | 0x10

// kvm_handle_guest_abort: x0 = struct kvm_vcpu; result as of handle_exit.
// x19 = vCPU, x20 = kvm, x21 = IPA, x22 = ESR, x23 = memslot
kvm_handle_guest_abort:
        enter
        mov     x19, x0
        ldr     x20, [x0, #kvm_vcpu.kvm]
        ldr     x1, [x0, #kvm_vcpu.arch.fault.hpfar_el2]
        ubfx    x1, x1, #4, #40
        ldr     x2, [x0, #kvm_vcpu.arch.fault.far_el2]
        and     x2, x2, #PAGE_MASK
        orr     x21, x2, x1, lsl #PAGE_SHIFT
        ldr     w22, [x0, #kvm_vcpu.arch.fault.esr_el2]
        mov     x0, x20
        bl      gfn_to_memslot
        mov     x23, x0
        lsr     w1, w22, #ESR_EC_SHIFT
        cbz     x23, 1f
        // A store to read-only memory is the process's business too.
        ldr     x2, [x23, #memslot.flags]
        tbz     x2, #1, 2f                      // KVM_MEM_READONLY
        cmp     w1, #ESR_EC_DABT_LOW
        b.ne    2f
        tst     w22, #ESR_WNR
        b.eq    2f
        b       io_mem_abort
1:      cmp     w1, #ESR_EC_DABT_LOW
        b.eq    io_mem_abort
        mov     x0, x19                         // there is nothing to fetch
        ldr     w1, =ESR_EC_IABT_EXTERNAL
        bl      inject_abort
        leave
2:      bl      pkvm_mem_abort
        leave

// pkvm_mem_abort: x19-x23 as above. The process's page becomes the guest's, or one that both have.
// x24 = the page
pkvm_mem_abort:
        stp     x29, x30, [sp, #-32]!
        mov     x29, sp
        str     x24, [sp, #16]
        mov     x0, x20
        lsr     x1, x21, #PAGE_SHIFT
        bl      find_mapping
        cbz     x0, 1f
        // It had one. If the host forced it back, the guest is lost.
        ldr     x1, [x20, #kvm.arch.pkvm.is_protected]
        cbz     x1, 7f
        call_hyp __pkvm_vcpu_in_poison_fault
        cmp     x0, #1
        b.ne    7f
        mov     x0, #-EFAULT
        b       9f
1:      lsr     x0, x21, #PAGE_SHIFT
        ldp     x1, x2, [x23]
        sub     x0, x0, x1
        ldr     x1, [x23, #memslot.userspace_addr]
        add     x0, x1, x0, lsl #PAGE_SHIFT
        ldr     x2, [x23, #memslot.flags]
        mov     x1, #PROT_WRITE
        tst     x2, #KVM_MEM_READONLY
        mov     x3, #PROT_READ
        csel    x1, x3, x1, ne
        bl      user_page
        cmn     x0, #EFAULT
        b.eq    9f
        mov     x24, x0
        bl      account_locked_vm
        cbnz    x0, 9f
        mov     x0, x24
        bl      get_page
        mov     x0, x19
        lsr     x1, x21, #PAGE_SHIFT
        mov     x2, x24
        ldr     x3, [x23, #memslot.flags]
        and     x3, x3, #KVM_MEM_READONLY
        bl      pkvm_pgtable_stage2_map
        cbz     x0, 7f
        mov     x23, x0
        mov     x0, x24
        bl      put_page
        bl      unaccount_locked_vm
        mov     x0, x23
        b       9f
7:      mov     x0, #1
9:      ldr     x24, [sp, #16]
        ldp     x29, x30, [sp], #32
        ret

// account_locked_vm: x20 = kvm. A protected guest's page cannot be swapped out: it counts as locked memory of the
// process; x0 = 0, or -ENOMEM when that is more than it may have. CAP_IPC_LOCK frees from the limit.
account_locked_vm:
        mov     x0, #0
        ldr     x1, [x20, #kvm.arch.pkvm.is_protected]
        cbz     x1, 9f
        adr     x2, init_task
        ldr     x3, [x2, #task_struct.locked_vm]
        add     x3, x3, #1
        ldr     x4, [x2, #task_struct.cap_ipc_lock]
        cbnz    x4, 1f
        ldr     x4, [x2, #task_struct.memlock_limit]
        mov     x0, #-ENOMEM
        cmp     x3, x4, lsr #PAGE_SHIFT
        b.hi    9f
1:      str     x3, [x2, #task_struct.locked_vm]
        mov     x0, #0
9:      ret
unaccount_locked_vm:
        ldr     x1, [x20, #kvm.arch.pkvm.is_protected]
        cbz     x1, 9f
        adr     x2, init_task
        ldr     x3, [x2, #task_struct.locked_vm]
        sub     x3, x3, #1
        str     x3, [x2, #task_struct.locked_vm]
9:      ret

// io_mem_abort: in kvm_handle_guest_abort's frame, x19-x22 as there. An access to what nothing backs becomes an exit;
// the instruction is done when the process runs the vCPU again.
io_mem_abort:
        tst     w22, #ESR_ISV
        b.eq    no_syndrome
        ldr     x1, [x19, #kvm_vcpu.run]
        ubfx    w2, w22, #ESR_SAS_SHIFT, #2
        mov     w3, #1
        lsl     w3, w3, w2                      // bytes
        mov     x4, #0
        ubfx    w5, w22, #ESR_SRT_SHIFT, #5
        tst     w22, #ESR_WNR
        cset    w6, ne
        b.eq    1f
        cmp     w5, #31
        b.eq    1f
        ldr     x4, [x19, x5, lsl #3]           // the registers are the first thing in a vCPU
        lsl     w7, w3, #3
        neg     w7, w7
        lsl     x4, x4, x7                      // only the bytes that are stored
        lsr     x4, x4, x7
1:      mov     w7, #KVM_EXIT_MMIO
        str     w7, [x1, #kvm_run.exit_reason]
        str     x21, [x1, #kvm_run.mmio.phys_addr]
        str     x4, [x1, #kvm_run.mmio.data]
        str     w3, [x1, #kvm_run.mmio.len]
        strb    w6, [x1, #kvm_run.mmio.is_write]
        mov     x7, #1
        str     x7, [x19, #kvm_vcpu.mmio_needed]
        mov     x0, #0
        leave

// A load or store of several registers, or the like: nobody can tell the process what it was. A protected guest learns
// that there is nothing.
no_syndrome:
        mov     x0, #-ENOSYS
        ldr     x1, [x20, #kvm.arch.pkvm.is_protected]
        cbz     x1, 9f
        mov     x0, x19
        ldr     w1, =ESR_EC_DABT_EXTERNAL
        bl      inject_abort
9:      leave

// inject_abort: x0 = struct kvm_vcpu, w1 = syndrome of an abort at the guest's EL1; from EL0 its class is one less.
inject_abort:
        ldr     x2, [x0, #kvm_vcpu.arch.fault.far_el2]
        str     x2, [x0, #kvm_vcpu.arch.ctxt + kvm_cpu_context.far_el1]
        ldr     x2, [x0, #kvm_vcpu.arch.ctxt.regs.pstate]
        tst     x2, #0xf
        b.ne    inject_exception
        and     x1, x1, #~(1 << ESR_EC_SHIFT)
        b       inject_exception

// kvm_handle_mmio_return: x0 = struct kvm_vcpu. If the last exit was MMIO, a load gets what the process answered, and
// the guest goes on behind the instruction.
kvm_handle_mmio_return:
        ldr     x1, [x0, #kvm_vcpu.mmio_needed]
        cbz     x1, 9f
        str     xzr, [x0, #kvm_vcpu.mmio_needed]
        ldr     w2, [x0, #kvm_vcpu.arch.fault.esr_el2]
        tst     w2, #ESR_WNR
        b.ne    3f
        ubfx    w5, w2, #ESR_SRT_SHIFT, #5
        cmp     w5, #31
        b.eq    3f
        ldr     x1, [x0, #kvm_vcpu.run]
        ldr     x4, [x1, #kvm_run.mmio.data]
        ubfx    w3, w2, #ESR_SAS_SHIFT, #2
        mov     w6, #8
        lsl     w6, w6, w3
        neg     w6, w6                          // 64 - bits, modulo 64
        lsl     x4, x4, x6
        tbnz    w2, #ESR_SSE, 1f
        lsr     x4, x4, x6
        b       2f
1:      asr     x4, x4, x6
        tbnz    w2, #ESR_SF, 2f
        mov     w4, w4
2:      str     x4, [x0, x5, lsl #3]
3:      ldr     x1, [x0, #kvm_vcpu.arch.ctxt.regs.pc]
        add     x1, x1, #4
        str     x1, [x0, #kvm_vcpu.arch.ctxt.regs.pc]
9:      ret
