// Pages for the kernel, the process and the guests: runs of 2^order pages, taken from a stretch of free RAM and kept in
// one list for each order once they were given back. page_counts holds how many users each page has.

        .equ    MAX_ORDER, 8

        .bss
        .balign 8
free_next:      .skip 8                         // first page that was never used (VA); read and written with the next word, as a pair
free_end:       .skip 8                         // and where those pages end
free_count:     .skip 8                         // pages that are free
page_counts:    .skip 8                         // VA of one 16-bit counter a page, from the start of RAM
free_lists:     .skip 8 * (MAX_ORDER + 1)       // first of the free runs; each begins with the address of the next
        .text

// The address of a page's counter: page_count to, VA of the page, scratch.
        .macro  page_count to, page, scratch
        pa_of   \to, \page
        ldr     \scratch, ram_start
        sub     \to, \to, \scratch
        lsr     \to, \to, #PAGE_SHIFT
        ldr     \scratch, page_counts
        add     \to, \scratch, \to, lsl #1
        .endm

// pages_init: free RAM is what lies between the kernel's image and the initrd.
pages_init:
        enter
        ldr     x0, =_end
        add     x0, x0, #PAGE_MASK
        and     x19, x0, #~PAGE_MASK
        va_of   x19, x19
        ldr     x20, initrd_start
        cbnz    x20, 1f
        ldr     x20, fdt_physical
1:      and     x20, x20, #~PAGE_MASK
        va_of   x20, x20
        adr     x1, page_counts
        str     x19, [x1]
        ldr     x2, ram_bytes
        lsr     x2, x2, #PAGE_SHIFT - 1
        add     x19, x19, x2
        add     x19, x19, #PAGE_MASK
        and     x19, x19, #~PAGE_MASK
        adr     x1, free_next
        stp     x19, x20, [x1]
        sub     x2, x20, x19
        lsr     x2, x2, #PAGE_SHIFT
        str     x2, [x1, #free_count - free_next]
        leave

// alloc_pages: x0 = order; x0 = VA of that many zeroed pages, with one user each, or 0.
alloc_pages:
        adr     x1, free_lists
        add     x1, x1, x0, lsl #3
        mov     x2, #PAGE_SIZE
        lsl     x2, x2, x0
        ldr     x3, [x1]
        cbz     x3, 1f
        ldr     x4, [x3]
        str     x4, [x1]
        b       2f
1:      adr     x1, free_next
        ldp     x3, x4, [x1]
        // Runs lie at multiples of their size, as stage-2 tables of several pages must.
        add     x3, x3, x2
        sub     x3, x3, #1
        neg     x5, x2
        and     x3, x3, x5
        add     x5, x3, x2
        cmp     x5, x4
        b.hi    9f
        str     x5, [x1]
2:      mov     x0, x3
        adr     x1, free_count
        ldr     x4, [x1]
        sub     x4, x4, x2, lsr #PAGE_SHIFT
        str     x4, [x1]
        add     x4, x3, x2
3:      stp     xzr, xzr, [x3], #16
        stp     xzr, xzr, [x3], #16
        stp     xzr, xzr, [x3], #16
        stp     xzr, xzr, [x3], #16
        cmp     x3, x4
        b.lo    3b
        page_count x5, x0, x6
        lsr     x2, x2, #PAGE_SHIFT
        mov     w6, #1
4:      strh    w6, [x5], #2
        subs    x2, x2, #1
        b.ne    4b
        ret
9:      mov     x0, #0
        ret

// free_pages: x0 = VA, x1 = order.
free_pages:
        cbz     x0, 1f
        adr     x2, free_lists
        add     x2, x2, x1, lsl #3
        ldr     x3, [x2]
        str     x3, [x0]
        str     x0, [x2]
        adr     x2, free_count
        ldr     x3, [x2]
        mov     x4, #1
        lsl     x4, x4, x1
        add     x3, x3, x4
        str     x3, [x2]
1:      ret

// alloc_page, and get_page and put_page: x0 = VA of a page.
alloc_page:
        mov     x0, #0
        b       alloc_pages
get_page:
        page_count x1, x0, x2
        ldrh    w2, [x1]
        add     w2, w2, #1
        strh    w2, [x1]
        ret
put_page:
        page_count x1, x0, x2
        ldrh    w2, [x1]
        sub     w2, w2, #1
        strh    w2, [x1]
        mov     x1, #0
        cbz     w2, free_pages
        ret
