// After an entry of stage 2 was taken away or changed, the TLB may still hold the old one: until it is told, whoever lost
// a page still reaches it. TLB maintenance works on the VMID in VTTBR_EL2.

        .section .hyp.text
// tlb_flush_ipa: x0 = VTTBR_EL2 of the tables, x1 = IPA. Keeps all registers from x4 on.
tlb_flush_ipa:
        mrs     x2, vttbr_el2
        msr     vttbr_el2, x0
        isb
        lsr     x1, x1, #PAGE_SHIFT
        dsb     ishst
        tlbi    ipas2e1is, x1
        dsb     ish
        tlbi    vmalle1is                       // entries that hold both stages in one
        dsb     ish
        isb
        msr     vttbr_el2, x2
        isb
        ret

// tlb_flush_vmid: x0 = VTTBR_EL2 of the tables. Everything of that VMID.
tlb_flush_vmid:
        mrs     x2, vttbr_el2
        msr     vttbr_el2, x0
        isb
        dsb     ishst
        tlbi    vmalls12e1is
        dsb     ish
        isb
        msr     vttbr_el2, x2
        isb
        ret

// host_vttbr, vm_vttbr (x0 = pkvm_hyp_vm): x0 = what VTTBR_EL2 is for these tables.
host_vttbr:
        ldr     x0, host_mmu + host_mmu.arch.mmu.pgd_phys
        ret
vm_vttbr:
        ldr     x1, [x0, #pkvm_hyp_vm.kvm.arch.mmu.vmid]
        ldr     x0, [x0, #pkvm_hyp_vm.kvm.arch.mmu.pgd_phys]
        orr     x0, x0, x1, lsl #48
        ret
