// Page tables: the walk that all of them share, EL2's stage 1, the host's and the guests' stage 2. They have 4 KB pages,
// start at level 1 (1 GB an entry), and differ only in the bits of their leaves.

        .section .hyp.text
// clear_page: x0 = address of a page. Keeps x2 and up.
clear_page:
        mov     x1, #PAGE_SIZE / 64
1:      stp     xzr, xzr, [x0], #16
        stp     xzr, xzr, [x0], #16
        stp     xzr, xzr, [x0], #16
        stp     xzr, xzr, [x0], #16
        subs    x1, x1, #1
        b.ne    1b
        ret

// hyp_alloc_table: a zeroed page of the pool, physical, or -ENOMEM. Tables stay in use for ever; the pool has enough for
// every page of RAM to have its own leaf in both.
hyp_alloc_table:
        frame   1
        mov     x0, #-ENOMEM
        ldr     x19, hyp_pool_next
        ldr     x1, hyp_pool_end
        cmp     x19, x1
        b.hs    9f
        add     x1, x19, #PAGE_SIZE
        adr     x0, hyp_pool_next
        str     x1, [x0]
        hyp_va  x0, x19, x1
        bl      clear_page
        mov     x0, x19
9:      unframe 1

// pgtable_walk: x0 = level 1 table (address at EL2), x1 = input address, x2 = level wanted, x3 = function that gives new
// tables (physical address or negative errno), or 0 to make none.
// x0 = address of the entry at that level or, where the way ends earlier, of the last entry; x1 = its level.
// With x3, a missing table is made and a block is replaced by an empty table: what it mapped is mapped anew when it is
// used. x0 is a negative errno when there is no memory for a table.
pgtable_walk:
        frame   3
        mov     x20, x1
        mov     x21, x2
        mov     x22, x3
        mov     x23, #1
        lsr     x4, x1, #30
        add     x19, x0, x4, lsl #3             // entry
1:      cmp     x23, x21
        b.hs    8f
        ldr     x0, [x19]
        and     x1, x0, #3
        cmp     x1, #PTE_TABLE
        b.eq    4f
        cbz     x22, 8f
        cbz     x0, 3f
        tbz     x0, #0, 8f                      // an annotation covers it all
        // A block: only the host has them. Break, then make.
        str     xzr, [x19]
        bl      host_vttbr
        bl      tlb_flush_vmid
3:      blr     x22
        tbnz    x0, #63, 9f
        orr     x0, x0, #PTE_TABLE
        dsb     ishst                           // the walker must not see the table before its zeroes
        str     x0, [x19]
4:      and     x0, x0, #PTE_ADDRESS
        hyp_va  x0, x0, x1
        add     x23, x23, #1
        mov     x1, #9
        mul     x1, x23, x1
        mov     x2, #39
        sub     x1, x2, x1                      // 39 - 9 * level: log2 of what an entry maps
        lsr     x1, x20, x1
        and     x1, x1, #0x1ff
        add     x19, x0, x1, lsl #3
        b       1b
8:      mov     x0, x19
        mov     x1, x23
9:      unframe 3

// hyp_map: x0 = address at EL2, x1 = entry, x2 = level (2 or 3). There is always a table for it.
hyp_map:
        frame   1
        mov     x19, x1
        mov     x1, x0
        ldr     x0, hyp_pgd
        hyp_va  x0, x0, x3
        adr     x3, hyp_alloc_table
        bl      pgtable_walk
        tbnz    x0, #63, hyp_bug
        str     x19, [x0]
        dsb     ishst
        isb
        unframe 1

// hyp_map_linear, hyp_unmap_linear: x0 = physical address of a page.
hyp_map_linear:
        ldr     x1, =PAGE_HYP
        orr     x1, x1, x0
        hyp_va  x0, x0, x2
        mov     x2, #3
        b       hyp_map
hyp_unmap_linear:
        frame   1
        hyp_va  x0, x0, x1
        mov     x19, x0
        mov     x1, #0
        mov     x2, #3
        bl      hyp_map
        lsr     x0, x19, #PAGE_SHIFT
        tlbi    vae2is, x0
        dsb     ish
        isb
        unframe 1

// hyp_poison_page: x0 = physical address of a page that is about to change hands. No secret stays in it. The page is not
// in the linear map, so it goes through the fixmap.
hyp_poison_page:
        frame   0
        ldr     x1, =PAGE_HYP
        orr     x0, x0, x1
        ldr     x2, fixmap_pte
        str     x0, [x2]
        dsb     ishst
        isb
        ldr     x0, =HYP_FIXMAP
        bl      clear_page
        str     xzr, [x2]
        dsb     ishst
        ldr     x0, =HYP_FIXMAP >> PAGE_SHIFT
        tlbi    vae2is, x0
        dsb     ish
        isb
        unframe 0
        .ltorg
