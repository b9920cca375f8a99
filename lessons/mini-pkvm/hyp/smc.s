// SMCs of the host come here once pKVM is in force (HCR_EL2.TSC): the firmware is more powerful than EL2, and some of its
// calls would start the host somewhere without stage 2. Those on the list go through, the rest do not exist.

        .section .hyp.rodata
        .balign 4
smc_allowed:
        .word   0x80000000                      // SMCCC_VERSION
        .word   0x80000001                      // SMCCC_ARCH_FEATURES
        .word   0x84000000                      // PSCI_VERSION
        .word   0x84000004, 0xc4000004          // AFFINITY_INFO
        .word   0x84000006                      // MIGRATE_INFO_TYPE
        .word   PSCI_SYSTEM_OFF
        .word   0x84000009                      // SYSTEM_RESET
        .word   0x8400000a                      // PSCI_FEATURES
smc_allowed_end:

        .section .hyp.text
handle_host_smc:                                // x19 = host_ctxt, x20 = ESR_EL2
        // A trapped SMC has not been executed: go on behind it.
        ldr     x1, [x19, #kvm_cpu_context.regs.pc]
        add     x1, x1, #4
        str     x1, [x19, #kvm_cpu_context.regs.pc]
        tst     x20, #0xffff
        b.ne    unknown_host_hcall
        ldr     x0, [x19]
        adr     x1, smc_allowed
        adr     x2, smc_allowed_end
1:      ldr     w3, [x1], #4
        cmp     x0, x3
        b.eq    2f
        cmp     x1, x2
        b.lo    1b
        b       unknown_host_hcall
2:      ldp     x0, x1, [x19]
        ldp     x2, x3, [x19, #16]
        smc     #0
        stp     x0, x1, [x19]
        stp     x2, x3, [x19, #16]
        b       host_exit
