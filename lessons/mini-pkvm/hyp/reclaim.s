// The way back: pages that a protected VM had return to the host. What was private is zeroed before the host can see it.

        .section .hyp.text
// __pkvm_reclaim_dying_guest_page(handle, gfn): x0 = 0, -EINVAL without the VM or while it lives, -ENOENT without a page.
__pkvm_reclaim_dying_guest_page:
        frame   3
        mov     x20, x1
        bl      hyp_spin_lock
        bl      get_vm_by_handle
        mov     x21, x0
        mov     x0, #-EINVAL
        cbz     x21, 9f
        ldr     x1, [x21, #pkvm_hyp_vm.kvm.arch.pkvm.is_dying]
        cbz     x1, 9f
        mov     x0, x21
        mov     x1, x20
        mov     x2, #0
        bl      guest_stage2_entry
        tbnz    x0, #63, 9f
        mov     x22, x0
        ldr     x19, [x22]
        mov     x0, #-ENOENT
        cbz     x19, 9f
        mov     x0, x19
        bl      guest_entry_state
        and     x19, x19, #PTE_ADDRESS
        cmp     x0, #PKVM_PAGE_OWNED
        b.eq    1f
        cmp     x0, #PKVM_PAGE_SHARED_OWNED
        b.eq    2f
        mov     x1, x0
        mov     x0, #-EPERM
        cmp     x1, #PKVM_POISON
        b.ne    9f                              // borrowed from the host: __pkvm_host_unshare_guest
        str     xzr, [x22]                      // the page is gone already
        mov     x0, #0
        b       9f

1:      mov     x0, x21
        mov     x1, x20
        mov     x2, x22
        mov     x3, #0
        mov     x4, x19
        bl      take_guest_page
        mov     x0, #0
        b       9f

        // The host has it mapped and knows what is in it.
2:      mov     x0, x21
        mov     x1, x20
        mov     x2, x22
        mov     x3, #0
        bl      guest_stage2_set
        mov     x0, x19
        mov     w1, #HOST_OWNED
        bl      set_page_state
        ldr     x0, [x21, #pkvm_hyp_vm.nr_pages]
        sub     x0, x0, #1
        str     x0, [x21, #pkvm_hyp_vm.nr_pages]
        mov     x0, #0
9:      bl      hyp_spin_unlock
        unframe 3

// take_guest_page: x0 = pkvm_hyp_vm, x1 = gfn, x2 = address of its entry, x3 = what to put there, x4 = the private page.
// First the guest loses it, then it is zeroed, and only then the host gets it.
take_guest_page:
        frame   1
        mov     x19, x4
        mov     x20, x0
        bl      guest_stage2_set
        mov     x0, x19
        bl      hyp_poison_page
        mov     x0, x19
        mov     w1, #HOST_OWNED
        bl      set_page_state
        mov     x0, x19
        mov     x1, #0
        bl      host_stage2_set_page
        ldr     x0, [x20, #pkvm_hyp_vm.nr_pages]
        sub     x0, x0, #1
        str     x0, [x20, #pkvm_hyp_vm.nr_pages]
        unframe 1

// __pkvm_force_reclaim_guest_page(phys): the host has touched a private page of a protected VM and cannot go on without
// it. It gets the page, not what was in it, and the guest's entry is poisoned: the VM does not survive a use of it.
// x0 = 0, -EFAULT when it is no RAM, -EAGAIN when it is no private page (any more): the host may try its access again.
__pkvm_force_reclaim_guest_page:
        frame   3
        mov     x19, x0
        bl      hyp_spin_lock
        ldr     x2, hyp_memory + memblock_region.base
        ldr     x3, hyp_memory + memblock_region.size
        sub     x2, x19, x2
        cmp     x2, x3
        mov     x0, #-EFAULT
        b.hs    9f
        mov     x0, x19
        mov     w1, #GUEST_OWNED
        bl      check_page_state
        mov     x1, x0
        mov     x0, #-EAGAIN
        cbnz    x1, 9f
        // Whose it is stands in the host's own stage 2.
        mov     x0, x19
        mov     x1, #3
        bl      host_stage2_walk
        tbnz    x0, #63, hyp_bug
        ldr     x1, [x0]
        ubfx    x20, x1, #KVM_HOST_DONATION_GFN_SHIFT, #40
        ubfx    x0, x1, #KVM_HOST_DONATION_HANDLE_SHIFT, #16
        bl      get_vm_by_handle
        cbz     x0, hyp_bug
        mov     x1, x20
        mov     w2, #PKVM_PAGE_OWNED
        mov     w3, #GUEST_OWNED
        bl      guest_page_in_state
        cbnz    x0, hyp_bug
        mov     x2, x22
        mov     x0, x21
        mov     x1, x20
        ldr     x3, =PTE_POISONED
        mov     x4, x19
        bl      take_guest_page
        mov     x0, #0
9:      bl      hyp_spin_unlock
        unframe 3

// __pkvm_vcpu_in_poison_fault(): 1 when the loaded vCPU left because of a poisoned entry, 0, or -EINVAL without one.
__pkvm_vcpu_in_poison_fault:
        frame   1
        bl      hyp_spin_lock
        mov     x0, #-EINVAL
        ldr     x19, loaded_hyp_vcpu
        cbz     x19, 9f
        mov     x0, #0
        ldr     w1, [x19, #pkvm_hyp_vcpu.vcpu + kvm_vcpu.arch.fault.esr_el2]
        lsr     w1, w1, #ESR_EC_SHIFT
        cmp     w1, #ESR_EC_IABT_LOW
        b.eq    1f
        cmp     w1, #ESR_EC_DABT_LOW
        b.ne    9f
1:      ldr     x1, [x19, #pkvm_hyp_vcpu.vcpu.arch.fault.hpfar_el2]
        ubfx    x1, x1, #4, #40
        ldr     x0, [x19, #pkvm_hyp_vcpu.vm]
        mov     x2, #0
        bl      guest_stage2_entry
        tbnz    x0, #63, 2f
        ldr     x0, [x0]
        bl      guest_entry_state
        cmp     x0, #PKVM_POISON
        cset    x0, eq
        b       9f
2:      mov     x0, #0
9:      bl      hyp_spin_unlock
        unframe 1
        .ltorg
