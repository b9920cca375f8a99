// Into the guest and back. The host's registers wait in host_ctxt; the guest's are in pkvm_hyp_vcpu, where the host cannot
// reach them while the guest runs, and are copied to and from the host's kvm_vcpu at either end.

        .section .hyp.text
// __kvm_vcpu_run(host_vcpu): x0 = the host's struct kvm_vcpu, as it was given to __pkvm_init_vcpu; it must be loaded.
// x0 = ARM_EXCEPTION_*, or -EINVAL.
__kvm_vcpu_run:
        frame   2
        ldr     x19, loaded_hyp_vcpu
        cbz     x19, 8f
        ldr     x20, [x19, #pkvm_hyp_vcpu.host_vcpu]
        hyp_pa  x1, x20, x2
        cmp     x0, x1
        b.ne    8f
        bl      flush_hyp_vcpu
1:      adr     x0, host_ctxt
        bl      sysreg_save_state
        mov     x0, x19
        bl      sysreg_restore_state            // arch.ctxt is first in the vCPU
        bl      __activate_traps
        bl      __guest_enter
        mov     x21, x0
        mov     x0, x19
        bl      sysreg_save_state
        bl      __deactivate_traps
        adr     x0, host_ctxt
        bl      sysreg_restore_state
        cmp     x21, #ARM_EXCEPTION_TRAP
        b.ne    2f
        mov     x0, x19
        bl      handle_pvm_exit
        cbnz    x0, 1b                          // dealt with: the guest goes on
2:      bl      sync_hyp_vcpu
        mov     x0, x21
        unframe 2
8:      mov     x0, #-EINVAL
        unframe 2

// x19 = pkvm_hyp_vcpu, x20 = the host's. Only the mode is not the host's to choose: below EL2, AArch64.
flush_hyp_vcpu:
        mov     x0, x20
        mov     x1, x19
        mov     x2, #kvm_cpu_context.sizeof
1:      ldr     x3, [x0], #8
        str     x3, [x1], #8
        subs    x2, x2, #8
        b.ne    1b
        ldr     x0, [x19, #pkvm_hyp_vcpu.vcpu.arch.ctxt.regs.pstate]
        and     x1, x0, #0x1f
        cbz     x1, 2f                          // EL0t
        cmp     x1, #PSR_MODE_EL1t
        b.eq    2f
        mov     x1, #PSR_MODE_EL1h
2:      ldr     w2, =0xf0000000 | PSR_DAIF        // NZCV
        and     x0, x0, x2
        orr     x0, x0, x1
        str     x0, [x19, #pkvm_hyp_vcpu.vcpu.arch.ctxt.regs.pstate]
        ret

sync_hyp_vcpu:
        mov     x0, x19
        mov     x1, x20
        mov     x2, #kvm_vcpu.arch.pkvm_memcache.head   // arch.ctxt and arch.fault
1:      ldr     x3, [x0], #8
        str     x3, [x1], #8
        subs    x2, x2, #8
        b.ne    1b
        ret

// x19 = pkvm_hyp_vcpu.
__activate_traps:
        ldr     x0, [x19, #pkvm_hyp_vcpu.hcr_el2]
        msr     hcr_el2, x0
        mov     x0, #CPTR_GUEST
        msr     cptr_el2, x0
        mrs     x0, mdcr_el2
        mov     x1, #MDCR_GUEST
        orr     x0, x0, x1
        msr     mdcr_el2, x0
        mov     x0, #CNTHCTL_GUEST
        msr     cnthctl_el2, x0
        ldr     x0, [x19, #pkvm_hyp_vcpu.vcpu + kvm_vcpu.vcpu_idx]
        orr     x0, x0, #1 << 31
        msr     vmpidr_el2, x0
        ldr     x2, [x19, #pkvm_hyp_vcpu.vm]
        ldr     x0, [x2, #pkvm_hyp_vm.kvm.arch.mmu.vtcr]
        msr     vtcr_el2, x0
        ldr     x0, [x2, #pkvm_hyp_vm.kvm.arch.mmu.vmid]
        ldr     x1, [x2, #pkvm_hyp_vm.kvm.arch.mmu.pgd_phys]
        orr     x0, x1, x0, lsl #48
        msr     vttbr_el2, x0
        isb
        ret

__deactivate_traps:
        adr     x2, kvm_init_params
        ldr     x0, [x2, #kvm_nvhe_init_params.vttbr]
        msr     vttbr_el2, x0
        ldr     x0, [x2, #kvm_nvhe_init_params.hcr_el2]
        msr     hcr_el2, x0
        mov     x0, #CPTR_HOST
        msr     cptr_el2, x0
        mrs     x0, mdcr_el2
        mov     x1, #MDCR_GUEST
        bic     x0, x0, x1
        msr     mdcr_el2, x0
        mov     x0, #CNTHCTL_HOST
        msr     cnthctl_el2, x0
        mrs     x0, mpidr_el1
        msr     vmpidr_el2, x0
        isb
        ret

// __guest_enter: x19 = pkvm_hyp_vcpu. Returns, with x0 = ARM_EXCEPTION_*, when the guest has left.
__guest_enter:
        stp     x29, x30, [sp, #-96]!
        mov     x29, sp
        stp     x19, x20, [sp, #16]
        stp     x21, x22, [sp, #32]
        stp     x23, x24, [sp, #48]
        stp     x25, x26, [sp, #64]
        stp     x27, x28, [sp, #80]
        stp     x19, xzr, [sp, #-16]!           // for __guest_exit
        // <- 1. Into the guest. x19 = pkvm_hyp_vcpu; its kvm_cpu_context is the first thing in it.
        //    a. VBAR_EL2: __kvm_hyp_vector, the vectors for while a guest runs
        //    b. ELR_EL2 and SPSR_EL2: regs.pc and regs.pstate, which stand side by side
        //    c. the guest's x0 to x30, the register that points to them last; eret
        mov     x0, #-EINVAL                    // until that is done: back to the caller, nothing has run
        add     sp, sp, #16
        ldp     x29, x30, [sp], #96
        ret

// From the guest's vectors: x0 and x1 are on the stack, x1 = ARM_EXCEPTION_*.
__guest_exit:
        ldr     x0, [sp, #16]
        each_pair stp, x0
        str     x30, [x0, #8 * 30]
        ldp     x2, x3, [sp], #32
        stp     x2, x3, [x0]
        mrs     x2, elr_el2
        mrs     x3, spsr_el2
        stp     x2, x3, [x0, #kvm_cpu_context.regs.pc]
        // <- 2. Why it left, for whoever asks: ESR_EL2, FAR_EL2 and HPFAR_EL2 to kvm_vcpu.arch.fault. x0 = pkvm_hyp_vcpu;
        //    x1 is still needed. Then the vectors for while the host runs.
        mov     x0, x1
        ldp     x27, x28, [sp, #80]
        ldp     x25, x26, [sp, #64]
        ldp     x23, x24, [sp, #48]
        ldp     x21, x22, [sp, #32]
        ldp     x19, x20, [sp, #16]
        ldp     x29, x30, [sp], #96
        ret
        .ltorg
