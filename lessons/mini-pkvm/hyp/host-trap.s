// The host has come to EL2: by a call, by an abort at stage 2, by an SMC. Its registers go to host_ctxt and come back
// from there, changed where there is an answer.

        .section .hyp.text
host_trap:                                      // x0 and x1 are on the stack
        adr     x0, host_ctxt
        each_pair stp, x0
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
        each_pair ldp, x0
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
