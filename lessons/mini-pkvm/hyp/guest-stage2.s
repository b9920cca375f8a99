// A guest's stage 2: which pages it has, at which of its addresses, and whose they are. Always 4 KB pages. Bits 56:55 of
// an entry are the guest's view of the page; an entry that was taken by force is invalid and says so.

        .section .hyp.text
// guest_alloc_table: as hyp_alloc_table, from the pages that the host has put aside for the loaded vCPU. The list is in
// memory that the host can write: every page of it is checked as any donation is.
guest_alloc_table:
        frame   2
        ldr     x0, loaded_hyp_vcpu
        ldr     x19, [x0, #pkvm_hyp_vcpu.host_vcpu]
        ldr     x21, [x19, #kvm_vcpu.arch.pkvm_memcache.nr_pages]
        mov     x0, #-ENOMEM
        cbz     x21, 9f
        ldr     x20, [x19, #kvm_vcpu.arch.pkvm_memcache.head]
        mov     x0, x20
        bl      __pkvm_host_donate_hyp
        cbnz    x0, 9f
        hyp_va  x0, x20, x1
        ldr     x2, [x0]                        // the next one
        sub     x21, x21, #1
        str     x2, [x19, #kvm_vcpu.arch.pkvm_memcache.head]
        str     x21, [x19, #kvm_vcpu.arch.pkvm_memcache.nr_pages]
        bl      clear_page
        mov     x0, x20
9:      unframe 2

// guest_stage2_entry: x0 = pkvm_hyp_vm, x1 = gfn, x2 = guest_alloc_table or 0.
// x0 = address of the page's entry, or -ENOENT without a table for it, -EINVAL beyond the guest's addresses, -ENOMEM ...
guest_stage2_entry:
        frame   0
        mov     x3, x2
        lsr     x2, x1, #IPA_BITS - PAGE_SHIFT
        cbnz    x2, 8f
        lsl     x1, x1, #PAGE_SHIFT
        ldr     x0, [x0, #pkvm_hyp_vm.kvm.arch.mmu.pgd_phys]
        hyp_va  x0, x0, x2
        mov     x2, #3
        bl      pgtable_walk
        tbnz    x0, #63, 9f
        cmp     x1, #3
        b.eq    9f
        mov     x0, #-ENOENT
        unframe 0
8:      mov     x0, #-EINVAL
9:      unframe 0

// guest_entry_state: x0 = an entry; x0 = PKVM_PAGE_OWNED &c., PKVM_NOPAGE, PKVM_POISON.
guest_entry_state:
        tbz     x0, #0, 1f
        ubfx    x0, x0, #PTE_STATE_SHIFT, #2
        ret
1:      ldr     x1, =PTE_POISONED
        cmp     x0, x1
        mov     x0, #PKVM_NOPAGE
        mov     x1, #PKVM_POISON
        csel    x0, x1, x0, eq
        ret

// guest_page_in_state: x0 = pkvm_hyp_vm, x1 = gfn, w2 = state in the guest's entry, w3 = states in the page's record.
// x0 = 0, -ENOENT when the guest has nothing there, -EPERM when the states are others, -EINVAL.
// For callers that keep x19 to x24: x19 = the page, x20 = gfn, x21 = pkvm_hyp_vm, x22 = address of the entry, x23 = the entry.
guest_page_in_state:
        frame   0
        mov     x21, x0
        mov     x20, x1
        mov     w19, w2
        mov     w24, w3
        mov     x2, #0
        bl      guest_stage2_entry
        tbnz    x0, #63, 9f
        mov     x22, x0
        ldr     x23, [x22]
        mov     x0, #-ENOENT
        cbz     x23, 9f
        mov     x0, x23
        bl      guest_entry_state
        cmp     w0, w19
        mov     x0, #-EPERM
        b.ne    9f
        and     x19, x23, #PTE_ADDRESS
        mov     x0, x19
        mov     w1, w24
        bl      check_page_state
9:      unframe 0

// guest_stage2_set: x0 = pkvm_hyp_vm, x1 = gfn, x2 = address of the entry, x3 = the entry that takes the place of another.
guest_stage2_set:
        frame   1
        mov     x19, x1
        str     x3, [x2]
        bl      vm_vttbr
        lsl     x1, x19, #PAGE_SHIFT
        bl      tlb_flush_ipa
        unframe 1

// loaded_vm: x0 = 1 for a protected VM, 0 for a normal one. x0 = the VM of the loaded vCPU, or 0 when it is not of that kind.
loaded_vm:
        ldr     x1, loaded_hyp_vcpu
        cbz     x1, 9f
        ldr     x1, [x1, #pkvm_hyp_vcpu.vm]
        ldr     x2, [x1, #pkvm_hyp_vm.kvm.arch.pkvm.is_protected]
        cmp     x0, x2
        csel    x0, x1, xzr, eq
        ret
9:      mov     x0, #0
        ret
        .ltorg
