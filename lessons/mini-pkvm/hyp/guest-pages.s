// Pages between the host and the guests: given to a protected VM, lent to a normal one, lent by a protected VM to the host.

        .section .hyp.text
// __pkvm_host_donate_guest(pfn, gfn): the loaded protected VM gets the page, the host loses it. Its content stays.
__pkvm_host_donate_guest:
        frame   3
        lsl     x19, x0, #PAGE_SHIFT
        mov     x20, x1
        bl      hyp_spin_lock
        mov     x0, #1
        bl      loaded_vm
        mov     x21, x0                         // pkvm_hyp_vm
        mov     x0, #-EINVAL
        cbz     x21, 9f
        // First what can fail: tables for it. They may take any page of the host's, so who owns this one is asked after.
        mov     x0, x21
        mov     x1, x20
        adr     x2, guest_alloc_table
        bl      guest_stage2_entry
        tbnz    x0, #63, 9f
        mov     x22, x0
        mov     x0, x19
        mov     w1, #HOST_OWNED
        bl      check_page_state
        cbnz    x0, 9f
        ldr     x0, [x22]
        bl      guest_entry_state
        mov     x1, x0
        mov     x0, #-EHWPOISON
        cmp     x1, #PKVM_POISON
        b.eq    9f
        mov     x0, #-EPERM
        cmp     x1, #PKVM_NOPAGE
        b.ne    9f

        mov     x0, x19
        mov     w1, #GUEST_OWNED
        bl      set_page_state
        mov     x0, x21
        mov     x1, x20
        bl      guest_annotation
        mov     x1, x0
        mov     x0, x19
        bl      host_stage2_set_page
        orr     x0, x19, #PAGE_S2
        str     x0, [x22]
        dsb     ishst
        ldr     x0, [x21, #pkvm_hyp_vm.nr_pages]
        add     x0, x0, #1
        str     x0, [x21, #pkvm_hyp_vm.nr_pages]
        mov     x0, #0
9:      bl      hyp_spin_unlock
        unframe 3

// guest_annotation: x0 = pkvm_hyp_vm, x1 = gfn; x0 = what stands in the host's stage 2 for its page.
guest_annotation:
        ldr     x0, [x0, #pkvm_hyp_vm.kvm.arch.pkvm.handle]
        lsl     x0, x0, #KVM_HOST_DONATION_HANDLE_SHIFT
        orr     x0, x0, x1, lsl #KVM_HOST_DONATION_GFN_SHIFT
        ldr     x1, =ANNOTATION_GUEST
        orr     x0, x0, x1
        ret

// __pkvm_host_share_guest(pfn, gfn, nr, prot): the loaded normal VM may use the page, and the host still does. nr is 1.
__pkvm_host_share_guest:
        frame   3
        lsl     x19, x0, #PAGE_SHIFT
        mov     x20, x1
        mov     x23, x3
        cmp     x2, #1
        bl      hyp_spin_lock
        mov     x0, #-EINVAL
        b.ne    9f
        tst     x23, #~(KVM_PGTABLE_PROT_R | KVM_PGTABLE_PROT_W | KVM_PGTABLE_PROT_X)
        b.ne    9f
        mov     x0, #0
        bl      loaded_vm
        mov     x21, x0
        mov     x0, #-EINVAL
        cbz     x21, 9f
        mov     x0, x21
        mov     x1, x20
        adr     x2, guest_alloc_table
        bl      guest_stage2_entry
        tbnz    x0, #63, 9f
        mov     x22, x0
        // The host's alone, or lent to guests already.
        mov     x0, x19
        mov     w1, #HOST_OWNED
        bl      check_page_state
        cbz     x0, 1f
        mov     x0, x19
        mov     w1, #HOST_LENT_TO_GUEST
        bl      check_page_state
        cbnz    x0, 9f
1:      mov     x0, #-EPERM
        ldr     x1, [x22]
        cbnz    x1, 9f

        mov     x0, x19
        mov     w1, #HOST_LENT_TO_GUEST
        bl      set_page_state
        mov     x0, x19
        bl      hyp_phys_to_page
        ldr     w1, [x0, #hyp_page.host_share_guest_count.shift / 8]
        add     w1, w1, #1
        str     w1, [x0, #hyp_page.host_share_guest_count.shift / 8]
        ldr     x0, =(PAGE_S2 & ~(PTE_S2_R | PTE_S2_W)) | PTE_SHARED_BORROWED | PTE_XN
        orr     x0, x0, x19
        ubfx    x1, x23, #2, #1                 // R
        orr     x0, x0, x1, lsl #6
        ubfx    x1, x23, #1, #1                 // W
        orr     x0, x0, x1, lsl #7
        and     x1, x23, #KVM_PGTABLE_PROT_X
        lsl     x1, x1, #54
        bic     x0, x0, x1
        str     x0, [x22]
        dsb     ishst
        ldr     x0, [x21, #pkvm_hyp_vm.nr_pages]
        add     x0, x0, #1
        str     x0, [x21, #pkvm_hyp_vm.nr_pages]
        mov     x0, #0
9:      bl      hyp_spin_unlock
        unframe 3

// __pkvm_host_unshare_guest(handle, gfn, nr): the normal VM no longer has the page.
__pkvm_host_unshare_guest:
        frame   3
        mov     x20, x1
        cmp     x2, #1
        bl      hyp_spin_lock
        b.ne    8f
        bl      get_vm_by_handle
        mov     x21, x0
        cbz     x21, 8f
        ldr     x1, [x21, #pkvm_hyp_vm.kvm.arch.pkvm.is_protected]
        cbnz    x1, 8f
        mov     x0, x21
        mov     x1, x20
        mov     w2, #PKVM_PAGE_SHARED_BORROWED
        mov     w3, #HOST_LENT_TO_GUEST
        bl      guest_page_in_state
        cbnz    x0, 9f

        mov     x0, x21
        mov     x1, x20
        mov     x2, x22
        mov     x3, #0
        bl      guest_stage2_set
        mov     x0, x19
        bl      hyp_phys_to_page
        ldr     w1, [x0, #hyp_page.host_share_guest_count.shift / 8]
        subs    w1, w1, #1
        str     w1, [x0, #hyp_page.host_share_guest_count.shift / 8]
        b.ne    1f
        mov     x0, x19
        mov     w1, #HOST_OWNED
        bl      set_page_state
1:      ldr     x0, [x21, #pkvm_hyp_vm.nr_pages]
        sub     x0, x0, #1
        str     x0, [x21, #pkvm_hyp_vm.nr_pages]
        mov     x0, #0
        b       9f
8:      mov     x0, #-EINVAL
9:      bl      hyp_spin_unlock
        unframe 3

// __pkvm_guest_share_host: x0 = pkvm_hyp_vm, x1 = gfn. A protected guest lends one of its pages to the host.
// x0 = 0, -ENOENT when it has no page there, -EPERM when it is not its alone, -EINVAL.
__pkvm_guest_share_host:
        frame   3
        bl      hyp_spin_lock
        mov     w2, #PKVM_PAGE_OWNED
        mov     w3, #GUEST_OWNED
        bl      guest_page_in_state
        cbnz    x0, 9f

        mov     x0, x19
        mov     w1, #GUEST_LENT_TO_HOST
        bl      set_page_state
        mov     x0, x21
        mov     x1, x20
        mov     x2, x22
        orr     x3, x23, #PTE_SHARED_OWNED
        bl      guest_stage2_set
        mov     x0, x19
        orr     x1, x19, #PAGE_S2
        bl      host_stage2_set_page
        mov     x0, #0
9:      bl      hyp_spin_unlock
        unframe 3

// __pkvm_guest_unshare_host: the same the other way.
__pkvm_guest_unshare_host:
        frame   3
        bl      hyp_spin_lock
        mov     w2, #PKVM_PAGE_SHARED_OWNED
        mov     w3, #GUEST_LENT_TO_HOST
        bl      guest_page_in_state
        cbnz    x0, 9f

        mov     x0, x19
        mov     w1, #GUEST_OWNED
        bl      set_page_state
        mov     x0, x21
        mov     x1, x20
        bl      guest_annotation
        mov     x1, x0
        mov     x0, x19
        bl      host_stage2_set_page
        mov     x0, x21
        mov     x1, x20
        mov     x2, x22
        and     x3, x23, #~PTE_SHARED_OWNED
        bl      guest_stage2_set
        mov     x0, #0
9:      bl      hyp_spin_unlock
        unframe 3
        .ltorg
