// The host's stage 2: the identity, made as the host touches memory. Zero means not touched yet; an invalid entry that is
// not zero names the owner that the host gave the page to.

        .section .hyp.text
// host_stage2_walk: x0 = physical address, x1 = level; as pgtable_walk, with tables made.
host_stage2_walk:
        mov     x2, x1
        mov     x1, x0
        ldr     x0, host_mmu + host_mmu.arch.mmu.pgd_phys
        hyp_va  x0, x0, x3
        adr     x3, hyp_alloc_table
        b       pgtable_walk

// host_stage2_set_page: x0 = physical address of a page of RAM, x1 = its entry: 0, an annotation, or a mapping.
host_stage2_set_page:
        frame   1
        mov     x19, x0
        mov     x20, x1
        mov     x1, #3
        bl      host_stage2_walk
        tbnz    x0, #63, hyp_bug
        cmp     x1, #3
        b.ne    hyp_bug
        str     x20, [x0]
        bl      host_vttbr
        mov     x1, x19
        bl      tlb_flush_ipa
        unframe 1

// host_stage2_idmap: x0 = physical address that the host wants and has no valid entry for. Map the largest block around
// it whose pages are all alike: 1 GB or 2 MB of devices, 2 MB of RAM, else 4 KB.
// x0 = 0, or -EPERM when the page is not the host's.
host_stage2_idmap:
        frame   4
        mov     x19, x0
        mov     x21, #1                         // level
        ldr     x22, hyp_memory + memblock_region.base
        ldr     x23, hyp_memory + memblock_region.size
        add     x23, x23, x22                   // x22, x23: start and end of RAM
1:      mov     x0, x19
        mov     x1, x21
        bl      host_stage2_walk
        tbnz    x0, #63, hyp_bug
        mov     x20, x0
        ldr     x1, [x20]
        cbz     x1, 2f
        tbz     x1, #0, 8f                      // someone else's
        and     x2, x1, #3
        cmp     x2, #PTE_TABLE
        b.ne    7f                              // mapped: try again
        cmp     x21, #3
        b.ne    6f
        b       7f
        // No entry yet. x24, x25: start and end of what it would map.
2:      mov     x1, #9
        mul     x1, x21, x1
        mov     x2, #39
        sub     x1, x2, x1
        mov     x2, #1
        lsl     x2, x2, x1
        neg     x3, x2
        and     x24, x19, x3
        add     x25, x24, x2
        ldr     x0, =BLOCK_S2 | PTE_XN          // devices: never executable
        cmp     x25, x22
        b.ls    3f
        cmp     x24, x23
        b.hs    3f
        mov     x0, #BLOCK_S2
        cmp     x21, #2                         // 1 GB of RAM is never all alike
        b.lo    6f
        cmp     x24, x22
        b.lo    6f
        cmp     x25, x23
        b.hi    6f
3:      orr     x0, x0, x24
        cmp     x21, #3
        b.ne    4f
        orr     x0, x0, #PTE_TABLE
4:      str     x0, [x20]
        dsb     ishst
        isb
        b       7f
6:      add     x21, x21, #1
        b       1b
7:      mov     x0, #0
        unframe 4
8:      mov     x0, #-EPERM
        unframe 4

// The host ran into its stage 2. x19 = host_ctxt, x20 = ESR_EL2.
handle_host_mem_abort:
        and     w0, w20, #ESR_FSC_TYPE
        cmp     w0, #ESR_FSC_TRANSLATION
        b.ne    8f                              // not allowed rather than not there
        mrs     x0, hpfar_el2
        lsl     x0, x0, #PAGE_SHIFT
        lsr     x1, x0, #IPA_BITS
        cbnz    x1, 8f
        bl      hyp_spin_lock
        bl      host_stage2_idmap
        bl      hyp_spin_unlock
        cbz     x0, host_exit                   // the host tries again
        // A fault that stage 1 alone never gives tells the host why: an abort on a walk (S1PTW) with no level.
8:      orr     x20, x20, #ESR_S1PTW
        b       inject_host_exception
        .ltorg
