// KVM_RUN: into the guest, again and again, until something needs the process.

// kvm_arch_vcpu_ioctl_run: x0 = struct kvm_vcpu; x0 = 0 with exit_reason set, or a negative errno.
// x19 = vCPU, x20 = struct kvm_run, x21 = result
kvm_arch_vcpu_ioctl_run:
        enter
        mov     x19, x0
        ldr     x1, [x19, #kvm_vcpu.initialized]
        mov     x0, #-ENOEXEC
        cbz     x1, 9f
        ldr     x20, [x19, #kvm_vcpu.run]
        ldr     x0, [x19, #kvm_vcpu.kvm]
        bl      pkvm_create_hyp_vm
        cbnz    x0, 9f
        mov     x0, x19
        bl      pkvm_create_hyp_vcpu
        cbnz    x0, 9f
        mov     x0, x19
        bl      kvm_handle_mmio_return
        str     wzr, [x20, #kvm_run.exit_reason]
        ldrb    w1, [x20, #kvm_run.immediate_exit]
        mov     x0, #-EINTR
        cbnz    w1, 9f
        mov     x0, x19
        bl      kvm_arch_vcpu_load
        cbnz    x0, 9f
1:      bl      signal_pending
        cbnz    x0, 3f
        ldr     x0, [x19, #kvm_vcpu.stopped]
        cbnz    x0, 2f
        pa_of   x1, x19
        call_hyp __kvm_vcpu_run
        mov     x21, x0
        tbnz    x0, #63, 4f
        cbz     x0, 5f                          // ARM_EXCEPTION_IRQ
        mov     x21, #-EFAULT
        cmp     x0, #ARM_EXCEPTION_TRAP
        b.ne    4f
        mov     x0, x19
        bl      handle_exit
        cmp     x0, #0
        b.gt    1b
        mov     x21, x0
        b       4f
2:      bl      wait_for_interrupt
        b       1b
5:      bl      handle_interrupts
        bl      schedule
        b       1b
3:      mov     w1, #KVM_EXIT_INTR
        str     w1, [x20, #kvm_run.exit_reason]
        mov     x21, #-EINTR
4:      bl      kvm_arch_vcpu_put
        mov     x0, x21
9:      leave

// kvm_arch_vcpu_load: x0 = struct kvm_vcpu; x0 = 0 or a negative errno.
kvm_arch_vcpu_load:
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        ldr     x1, [x0, #kvm_vcpu.kvm]
        ldr     x1, [x1, #kvm.arch.pkvm.handle]
        ldr     x2, [x0, #kvm_vcpu.vcpu_idx]
        mov     x3, #0
        adr     x4, kvm_running_vcpu
        str     x0, [x4]
        call_hyp __pkvm_vcpu_load
        cbz     x0, 1f
        str     xzr, [x4]
1:      ldp     x29, x30, [sp], #16
        ret

        .bss
        .balign 8
kvm_running_vcpu:                               // the loaded one, or 0
        .skip   8
        .text

kvm_arch_vcpu_put:
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        adr     x4, kvm_running_vcpu
        str     xzr, [x4]
        call_hyp __pkvm_vcpu_put
        ldp     x29, x30, [sp], #16
        ret

// handle_exit: x0 = struct kvm_vcpu, out of the guest by a trap. x0 = 1: back into the guest; 0: to the process, with
// exit_reason set; or a negative errno.
handle_exit:
        ldr     w1, [x0, #kvm_vcpu.arch.fault.esr_el2]
        lsr     w1, w1, #ESR_EC_SHIFT
        cmp     w1, #ESR_EC_WFx
        b.eq    kvm_handle_wfx
        cmp     w1, #ESR_EC_HVC64
        b.eq    kvm_smccc_call_handler
        cmp     w1, #ESR_EC_SMC64
        b.eq    handle_smc
        cmp     w1, #ESR_EC_IABT_LOW
        b.eq    kvm_handle_guest_abort
        cmp     w1, #ESR_EC_DABT_LOW
        b.eq    kvm_handle_guest_abort
        mov     w1, #ESR_EC_UNKNOWN << ESR_EC_SHIFT     // registers and instructions that it does not have
// inject_exception: x0 = struct kvm_vcpu, w1 = syndrome without IL: the guest takes it at its EL1. x0 = 1.
inject_exception:
        orr     w1, w1, #ESR_IL
        str     x1, [x0, #kvm_vcpu.arch.ctxt + kvm_cpu_context.esr_el1]
        ldp     x2, x3, [x0, #kvm_vcpu.arch.ctxt.regs.pc]
        str     x2, [x0, #kvm_vcpu.arch.ctxt + kvm_cpu_context.elr_el1]
        str     x3, [x0, #kvm_vcpu.arch.ctxt + kvm_cpu_context.spsr_el1]
        ldr     x4, [x0, #kvm_vcpu.arch.ctxt + kvm_cpu_context.vbar_el1]
        and     x3, x3, #0xf
        mov     x5, #0x400                      // from EL0
        cbz     x3, 1f
        mov     x5, #0x200                      // from EL1, SP_EL1 or SP_EL0
        cmp     x3, #PSR_MODE_EL1h
        csel    x5, x5, xzr, eq
1:      add     x4, x4, x5
        mov     x5, #PSTATE_EL1_MASKED
        stp     x4, x5, [x0, #kvm_vcpu.arch.ctxt.regs.pc]
        mov     x0, #1
        ret

// kvm_incr_pc: x0 = struct kvm_vcpu: past the instruction.
kvm_incr_pc:
        ldr     x1, [x0, #kvm_vcpu.arch.ctxt.regs.pc]
        add     x1, x1, #4
        str     x1, [x0, #kvm_vcpu.arch.ctxt.regs.pc]
        ret

// WFI: nothing interrupts the guests here, so it waits until the process gets a signal.
kvm_handle_wfx:
        enter
        mov     x19, x0
        bl      kvm_incr_pc
        ldr     w1, [x19, #kvm_vcpu.arch.fault.esr_el2]
        tbnz    w1, #0, 2f                      // WFE: only a hint
1:      bl      signal_pending
        cbnz    x0, 2f
        bl      wait_for_interrupt
        b       1b
2:      mov     x0, #1
        leave

handle_smc:
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        bl      kvm_incr_pc                     // a trapped SMC is not done yet; an HVC is
        ldp     x29, x30, [sp], #16
        b       kvm_smccc_call_handler
