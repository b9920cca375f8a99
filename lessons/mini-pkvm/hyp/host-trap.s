// The host has come to EL2: by a call, by an abort at stage 2, by an SMC. Its registers go to host_ctxt and come back
// from there, changed where there is an answer.

        .section .hyp.text
host_trap:                                      // x0 and x1 are on the stack
        adr     x0, host_ctxt
        stp     x2, x3, [x0, #8 * 2]
        stp     x4, x5, [x0, #8 * 4]
        stp     x6, x7, [x0, #8 * 6]
        stp     x8, x9, [x0, #8 * 8]
        stp     x10, x11, [x0, #8 * 10]
        stp     x12, x13, [x0, #8 * 12]
        stp     x14, x15, [x0, #8 * 14]
        stp     x16, x17, [x0, #8 * 16]
        stp     x18, x19, [x0, #8 * 18]
        stp     x20, x21, [x0, #8 * 20]
        stp     x22, x23, [x0, #8 * 22]
        stp     x24, x25, [x0, #8 * 24]
        stp     x26, x27, [x0, #8 * 26]
        stp     x28, x29, [x0, #8 * 28]
        str     x30, [x0, #8 * 30]
        ldp     x2, x3, [sp], #16
        stp     x2, x3, [x0]
        mrs     x2, elr_el2
        mrs     x3, spsr_el2
        stp     x2, x3, [x0, #kvm_cpu_context.regs.pc]
        mov     x29, #0
        mov     x19, x0
        mrs     x20, esr_el2
        lsr     w1, w20, #ESR_EC_SHIFT
        cmp     w1, #ESR_EC_HVC64
        b.eq    handle_host_hcall
        cmp     w1, #ESR_EC_SMC64
        b.eq    handle_host_smc
        cmp     w1, #ESR_EC_IABT_LOW
        b.eq    handle_host_mem_abort
        cmp     w1, #ESR_EC_DABT_LOW
        b.eq    handle_host_mem_abort
        mov     x20, #ESR_IL                    // whatever else traps: undefined for the host
        b       inject_host_exception

// Back to the host.
host_exit:
        adr     x0, host_ctxt
        ldp     x2, x3, [x0, #kvm_cpu_context.regs.pc]
        msr     elr_el2, x2
        msr     spsr_el2, x3
        ldr     x30, [x0, #8 * 30]
        ldp     x28, x29, [x0, #8 * 28]
        ldp     x26, x27, [x0, #8 * 26]
        ldp     x24, x25, [x0, #8 * 24]
        ldp     x22, x23, [x0, #8 * 22]
        ldp     x20, x21, [x0, #8 * 20]
        ldp     x18, x19, [x0, #8 * 18]
        ldp     x16, x17, [x0, #8 * 16]
        ldp     x14, x15, [x0, #8 * 14]
        ldp     x12, x13, [x0, #8 * 12]
        ldp     x10, x11, [x0, #8 * 10]
        ldp     x8, x9, [x0, #8 * 8]
        ldp     x6, x7, [x0, #8 * 6]
        ldp     x4, x5, [x0, #8 * 4]
        ldp     x2, x3, [x0, #8 * 2]
        ldp     x0, x1, [x0]
        eret

// inject_host_exception: the host gets, at EL1, the exception whose syndrome is x20, as if it had been its own from the
// start. x19 = host_ctxt. Only the class tells EL0 from EL1: 0x24 is an abort from below, 0x25 one from the same level.
inject_host_exception:
        ldp     x0, x1, [x19, #kvm_cpu_context.regs.pc]
        msr     elr_el1, x0
        msr     spsr_el1, x1
        mrs     x2, far_el2
        msr     far_el1, x2
        mrs     x3, vbar_el1
        and     x4, x1, #0xf
        cmp     x4, #PSR_MODE_EL1t
        b.eq    2f                              // vector 0: EL1 with SP_EL0
        cmp     x4, #PSR_MODE_EL1h
        b.eq    1f
        add     x3, x3, #0x400                  // from EL0
        tbz     x1, #4, 3f
        add     x3, x3, #0x200                  // in AArch32
        b       3f
1:      add     x3, x3, #0x200
2:      lsr     w5, w20, #ESR_EC_SHIFT
        cbz     w5, 3f                          // an undefined instruction has one class only
        orr     x20, x20, #1 << ESR_EC_SHIFT
3:      msr     esr_el1, x20
        mov     x4, #PSTATE_EL1_MASKED
        stp     x3, x4, [x19, #kvm_cpu_context.regs.pc]
        b       host_exit
