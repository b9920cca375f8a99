// Pages between the host and the hypervisor. Each transition checks who has the page, and only then changes the three
// places that say so: the record, the loser's tables, the winner's tables.

        .section .hyp.text
// The host lends a page: __pkvm_host_share_hyp(pfn)
__pkvm_host_share_hyp:
        frame   1
        lsl     x19, x0, #PAGE_SHIFT
        mov     x0, x19
        mov     w1, #HOST_OWNED
        bl      check_page_state                // without the lock: nothing is changed yet
        cbnz    x0, 8f
        bl      hyp_spin_lock
        mov     x0, x19
        mov     w1, #HOST_LENT_TO_HYP
        bl      set_page_state
        mov     x0, #0
        bl      hyp_spin_unlock
8:      unframe 1

// The host wants it back: __pkvm_host_unshare_hyp(pfn)
__pkvm_host_unshare_hyp:
        frame   1
        lsl     x19, x0, #PAGE_SHIFT
        bl      hyp_spin_lock
        mov     x0, x19
        mov     w1, #HOST_LENT_TO_HYP
        bl      check_page_state
        cbnz    x0, 9f
        mov     x0, x19
        bl      hyp_phys_to_page
        ldrh    w1, [x0]
        mov     x0, #-EBUSY
        cbnz    w1, 9f                          // pinned: a VM is using it
        mov     x0, x19
        mov     w1, #HOST_OWNED
        bl      set_page_state
        mov     x0, #0
9:      bl      hyp_spin_unlock
        unframe 1

// hyp_pin_shared_mem: x0 = physical address of a structure of x1 bytes in a page that the host lends. As long as it is
// pinned the host cannot take it back. x0 = its address at EL2, or a negative errno.
hyp_pin_shared_mem:
        frame   2
        mov     x20, x0
        and     x19, x0, #~(PAGE_SIZE - 1)
        and     x2, x0, #PAGE_SIZE - 1
        add     x2, x2, x1
        mov     x0, #-EINVAL
        cmp     x2, #PAGE_SIZE
        b.hi    9f                              // across the end of the page
        tst     x20, #7
        b.ne    9f
        mov     x0, x19
        mov     w1, #HOST_LENT_TO_HYP
        bl      check_page_state
        cbnz    x0, 9f
        mov     x0, x19
        bl      hyp_phys_to_page
        ldrh    w1, [x0]
        add     w2, w1, #1
        strh    w2, [x0]
        cbnz    w1, 1f
        mov     x0, x19
        bl      hyp_map_linear
1:      hyp_va  x0, x20, x1
9:      unframe 2

// hyp_unpin_shared_mem: x0 = what hyp_pin_shared_mem gave.
hyp_unpin_shared_mem:
        frame   1
        hyp_pa  x0, x0, x1
        and     x19, x0, #~(PAGE_SIZE - 1)
        mov     x0, x19
        bl      hyp_phys_to_page
        ldrh    w1, [x0]
        sub     w1, w1, #1
        strh    w1, [x0]
        cbnz    w1, 9f
        mov     x0, x19
        bl      hyp_unmap_linear
9:      unframe 1

// __pkvm_host_donate_hyp: x0 = physical address; the lock is held. The host gives the page away, the hypervisor maps it.
// x0 = 0 or a negative errno.
__pkvm_host_donate_hyp:
        frame   1
        mov     x19, x0
        mov     w1, #HOST_OWNED
        bl      check_page_state
        cbnz    x0, 9f
        mov     x0, x19
        mov     w1, #HYP_OWNED
        bl      set_page_state
        mov     x0, x19
        ldr     x1, =ANNOTATION_HYP
        bl      host_stage2_set_page
        mov     x0, x19
        bl      hyp_map_linear
        mov     x0, #0
9:      unframe 1

// __pkvm_hyp_donate_host: x0 = physical address of a page that the host had donated, and that holds nothing secret any
// more; the lock is held.
__pkvm_hyp_donate_host:
        frame   1
        mov     x19, x0
        mov     w1, #HYP_OWNED
        bl      check_page_state
        cbnz    x0, hyp_bug
        mov     x0, x19
        bl      hyp_unmap_linear
        mov     x0, x19
        mov     w1, #HOST_OWNED
        bl      set_page_state
        mov     x0, x19
        mov     x1, #0                          // mapped when the host uses it
        bl      host_stage2_set_page
        unframe 1
        .ltorg
