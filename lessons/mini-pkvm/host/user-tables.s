// The process's page tables: three levels, 4 KiB pages only.

        .equ    DESC_TABLE, 3                    // a table, and at level 3 a page
        // Page, Normal, EL0 access, inner shareable, access flag, not global, PXN.
        .equ    PTE_USER, DESC_TABLE | (1 << 2) | (1 << 6) | (3 << 8) | (1 << 10) | (1 << 11) | (1 << 53)
        .equ    PTE_EL0, 1 << 6
        .equ    PTE_RDONLY, 1 << 7
        .equ    PTE_UXN, 1 << 54
        .equ    DESC_ADDRESS, 0x0000fffffffff000

// user_pte: x0 = user address, x1 = 1 to make tables that are missing; x0 = VA of its level-3 entry, or 0.
user_pte:
        enter
        mov     x19, x0
        mov     x20, x1
        adr     x21, user_pg_dir
        mov     x22, #30                        // lowest address bit that this level translates
1:      lsr     x2, x19, x22
        and     x2, x2, #511
        add     x21, x21, x2, lsl #3
        cmp     x22, #PAGE_SHIFT
        b.eq    3f
        ldr     x3, [x21]
        cbnz    x3, 2f
        cbz     x20, 4f
        bl      alloc_page
        cbz     x0, 4f
        pa_of   x3, x0
        orr     x3, x3, #DESC_TABLE
        str     x3, [x21]
2:      and     x3, x3, #DESC_ADDRESS
        va_of   x21, x3
        sub     x22, x22, #9
        b       1b
3:      mov     x0, x21
        leave
4:      mov     x0, #0
        leave

// map_user_page: x0 = user address, x1 = page (VA) whose user the mapping becomes, x2 = PROT_ bits; x0 = 0 or -ENOMEM.
map_user_page:
        enter
        mov     x19, x0
        mov     x20, x1
        mov     x21, x2
        mov     x1, #1
        bl      user_pte
        cbz     x0, 9f
        pa_of   x1, x20
        bl      user_entry
        str     x1, [x0]
        dsb     ish
        isb
        mov     x0, #0
        leave
9:      mov     x0, #-ENOMEM
        leave

// user_entry: x1 = physical page, x21 = PROT_ bits; x1 = its entry. Changes x2.
user_entry:
        ldr     x2, =PTE_USER
        orr     x1, x1, x2
        tst     x21, #PROT_READ | PROT_WRITE | PROT_EXEC
        and     x2, x1, #~PTE_EL0
        csel    x1, x2, x1, eq
        tst     x21, #PROT_WRITE
        orr     x2, x1, #PTE_RDONLY
        csel    x1, x2, x1, eq
        tst     x21, #PROT_EXEC
        orr     x2, x1, #PTE_UXN
        csel    x1, x2, x1, eq
        ret

// protect_user_page: x0 = user address, x1 = PROT_ bits that its page gets, if there is one.
protect_user_page:
        enter
        mov     x19, x0
        mov     x21, x1
        mov     x1, #0
        bl      user_pte
        cbz     x0, 9f
        ldr     x1, [x0]
        cbz     x1, 9f
        str     xzr, [x0]
        dsb     ishst
        lsr     x2, x19, #PAGE_SHIFT
        tlbi    vaae1is, x2
        dsb     ish
        ldr     x2, =DESC_ADDRESS
        and     x1, x1, x2
        bl      user_entry
        str     x1, [x0]
        dsb     ish
        isb
9:      leave

// unmap_user_page: x0 = user address. The page loses its user, and is free when that was the last.
unmap_user_page:
        enter
        mov     x19, x0
        mov     x1, #0
        bl      user_pte
        cbz     x0, 9f
        ldr     x20, [x0]
        cbz     x20, 9f
        str     xzr, [x0]
        dsb     ishst
        lsr     x1, x19, #PAGE_SHIFT
        tlbi    vaae1is, x1
        dsb     ish
        isb
        and     x0, x20, #DESC_ADDRESS
        va_of   x0, x0
        bl      put_page
9:      leave

// user_page: x0 = user address, x1 = PROT_ bit needed, 0 to look past protections. The page is made if need be.
// x0 = the page's VA in the linear map, or -EFAULT.
user_page:
        enter
        mov     x19, x0
        mov     x20, x1
        lsr     x2, x0, #39
        cbnz    x2, 9f
        bl      find_vma
        cbz     x0, 9f
        mov     x21, x0
        ldr     x1, [x21, #vm_area_struct.prot]
        bics    xzr, x20, x1
        b.ne    9f
        mov     x0, x19
        mov     x1, #0
        bl      user_pte
        cbz     x0, 1f
        ldr     x2, [x0]
        cbnz    x2, 2f
1:      mov     x0, x21
        mov     x1, x19
        bl      populate_page
        cbnz    x0, 9f
        mov     x0, x19
        mov     x1, #0
        bl      user_pte
        ldr     x2, [x0]
2:      and     x0, x2, #DESC_ADDRESS
        va_of   x0, x0
        leave
9:      mov     x0, #-EFAULT
        leave
