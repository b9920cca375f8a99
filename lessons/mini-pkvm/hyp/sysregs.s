// The registers of EL1 and EL0 that each world has for itself. Hardware has one set: the worlds take turns.

        .macro  each_sysreg what
        .irp    name, sp_el1, elr_el1, spsr_el1, sctlr_el1, cpacr_el1, tcr_el1, ttbr0_el1, ttbr1_el1, mair_el1, amair_el1
        \what   \name
        .endr
        .irp    name, vbar_el1, contextidr_el1, esr_el1, far_el1, afsr0_el1, afsr1_el1, par_el1
        \what   \name
        .endr
        .irp    name, tpidr_el0, tpidrro_el0, tpidr_el1, cntkctl_el1, csselr_el1, cntv_cval_el0, cntv_ctl_el0
        \what   \name
        .endr
        .endm

        .macro  save_one name
        mrs     x1, \name
        str     x1, [x0, #kvm_cpu_context.\name]
        .endm

        .macro  restore_one name
        ldr     x1, [x0, #kvm_cpu_context.\name]
        msr     \name, x1
        .endm

        .section .hyp.text
// x0 = kvm_cpu_context
sysreg_save_state:
        mrs     x1, sp_el0
        str     x1, [x0, #kvm_cpu_context.regs.sp]
        each_sysreg save_one
        ret

sysreg_restore_state:
        ldr     x1, [x0, #kvm_cpu_context.regs.sp]
        msr     sp_el0, x1
        each_sysreg restore_one
        ret
