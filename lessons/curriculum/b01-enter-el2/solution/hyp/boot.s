// The first instructions of all: EL2, MMU off, x0 = the device tree. EL2 is prepared as far as it needs nobody's help,
// and the host kernel is entered at EL1. What is left, the hypervisor's own address space, waits for __pkvm_init.

        .data
        .balign 8
__boot_cpu_mode:                        // BOOT_CPU_MODE_EL2: there is a hypervisor to call
        .quad   0

        .section .hyp.idmap.text
primary_entry:
        msr     daifset, #15
        adr     x1, __boot_cpu_mode
        mov     x2, #BOOT_CPU_MODE_EL1
        mrs     x3, currentel
        cmp     x3, #2 << 2
        b.ne    9f                              // no EL2: the host comes up without KVM
        mov     x2, #BOOT_CPU_MODE_EL2
        str     x2, [x1]

        ldr     x1, =SCTLR_EL2_OFF
        msr     sctlr_el2, x1
        isb
        .if     CONFIG_KVM
        adr     x1, __hyp_bss_start
        adr     x2, __hyp_bss_end
1:      stp     xzr, xzr, [x1], #16
        cmp     x1, x2
        b.lo    1b
        adr     x1, __kvm_hyp_host_vector
        msr     vbar_el2, x1
        adr     x1, hyp_stack_end
        mov     sp, x1
        .endif
        mov     x1, #HCR_RW                     // EL1 is AArch64; nothing traps
        .if     CONFIG_KVM == 0
        mov     x2, #HCR_HCD                    // and nobody answers: HVC is undefined
        orr     x1, x1, x2
        .endif
        msr     hcr_el2, x1
        mov     x1, #CPTR_HOST
        msr     cptr_el2, x1
        mov     x1, #CNTHCTL_HOST
        msr     cnthctl_el2, x1
        msr     cntvoff_el2, xzr
        msr     hstr_el2, xzr
        msr     vttbr_el2, xzr
        msr     tpidr_el2, xzr                  // one CPU: its variables are where they are linked
        mrs     x1, midr_el1
        msr     vpidr_el2, x1
        mrs     x1, mpidr_el1
        msr     vmpidr_el2, x1
        mrs     x1, id_aa64pfr0_el1
        ubfx    x1, x1, #24, #4                 // the GIC has system registers: let EL1 use them
        cbz     x1, 2f
        mov     x1, #0xf
        msr     icc_sre_el2, x1
        isb
        msr     ich_hcr_el2, xzr
2:      ldr     x1, =SCTLR_EL1_OFF
        msr     sctlr_el1, x1

        adr     x1, host_entry
        msr     elr_el2, x1
        mov     x1, #PSTATE_EL1_MASKED
        msr     spsr_el2, x1
        mov     x1, #0
        mov     x2, #0
        mov     x3, #0
        eret

9:      str     x2, [x1]
        b       host_entry

        .if     CONFIG_KVM
// Into the hypervisor's address space: x0 = its level 1 table, x1 = stack, x2 = where to go on (virtual). This page is
// mapped where it lies, so the instruction after the MMU comes on is still this one.
__pkvm_init_switch_pgd:
        msr     ttbr0_el2, x0
        ldr     x3, =HYP_TCR
        msr     tcr_el2, x3
        mov     x3, #HYP_MAIR
        msr     mair_el2, x3
        dsb     sy
        tlbi    alle2
        ic      iallu
        dsb     nsh
        isb
        ldr     x3, =SCTLR_EL2_ON
        msr     sctlr_el2, x3
        isb
        mov     sp, x1
        mov     x29, #0
        br      x2
        .endif
        .ltorg
