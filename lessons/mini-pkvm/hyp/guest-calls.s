// What a protected guest asks of the hypervisor itself, behind the host's back: `hvc #0`, x0 = function, x1 = IPA.
// The guest of a normal VM has no such calls; everything it asks goes to the host.

        .section .hyp.text
// handle_pvm_exit: x0 = pkvm_hyp_vcpu, out of the guest by a trap. x0 = 1 when the guest can go on, 0 for the host.
handle_pvm_exit:
        frame   2
        mov     x19, x0
        ldr     x20, [x19, #pkvm_hyp_vcpu.vm]
        mov     x0, #0
        ldr     x1, [x20, #pkvm_hyp_vm.kvm.arch.pkvm.is_protected]
        cbz     x1, 9f
        ldr     w1, [x19, #kvm_vcpu.arch.fault.esr_el2]
        lsr     w1, w1, #ESR_EC_SHIFT
        cmp     w1, #ESR_EC_HVC64
        b.ne    9f
        ldr     w1, [x19]                       // function
        ldr     x21, [x19, #8]                  // IPA
        ldp     x2, x3, [x19, #16]
        orr     x22, x2, x3                     // arguments 2 and 3: zero
        ldr     w2, =ARM_SMCCC_VENDOR_HYP_KVM_FEATURES_FUNC_ID
        cmp     w1, w2
        mov     x0, #PVM_FEATURES
        b.eq    8f
        ldr     w2, =ARM_SMCCC_VENDOR_HYP_KVM_HYP_MEMINFO_FUNC_ID
        cmp     w1, w2
        b.eq    pvm_meminfo
        ldr     w2, =ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID
        cmp     w1, w2
        b.eq    pvm_mem_share
        ldr     w2, =ARM_SMCCC_VENDOR_HYP_KVM_MEM_UNSHARE_FUNC_ID
        cmp     w1, w2
        b.eq    pvm_mem_unshare
        mov     x0, #0
        b       9f

pvm_meminfo:                                    // in units of how many bytes memory is shared
        orr     x22, x22, x21
        mov     x0, #PAGE_SIZE
        cbz     x22, 8f
        b       7f

pvm_mem_share:
        cbnz    x22, 7f
        tst     x21, #PAGE_SIZE - 1
        b.ne    7f
        mov     x0, x20
        lsr     x1, x21, #PAGE_SHIFT
        bl      __pkvm_guest_share_host
        cbz     x0, 8f
        cmn     x0, #ENOENT
        b.ne    7f
        // Nothing there yet: to the host it looks as if the guest had stored to it. The host gives a page, and the guest
        // makes the call again.
        ldr     x1, [x19, #kvm_cpu_context.regs.pc]
        sub     x1, x1, #4
        str     x1, [x19, #kvm_cpu_context.regs.pc]
        ldr     w1, =(ESR_EC_DABT_LOW << ESR_EC_SHIFT) | ESR_WNR | ESR_FSC_TRANSLATION | 3
        str     x1, [x19, #kvm_vcpu.arch.fault.esr_el2]
        str     x21, [x19, #kvm_vcpu.arch.fault.far_el2]
        lsr     x1, x21, #8
        str     x1, [x19, #kvm_vcpu.arch.fault.hpfar_el2]
        mov     x0, #0
        b       9f

pvm_mem_unshare:
        cbnz    x22, 7f
        tst     x21, #PAGE_SIZE - 1
        b.ne    7f
        mov     x0, x20
        lsr     x1, x21, #PAGE_SHIFT
        bl      __pkvm_guest_unshare_host
        cbz     x0, 8f
7:      mov     x0, #SMCCC_RET_INVALID_PARAMETER
8:      stp     x0, xzr, [x19]
        stp     xzr, xzr, [x19, #16]
        mov     x0, #1
9:      unframe 2
        .ltorg
