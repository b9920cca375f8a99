// hyp_vmemmap: 8 bytes for every page of RAM that say who owns it. This is what every decision is made on; the tables
// follow it.

        .section .hyp.text
// hyp_phys_to_page: x0 = physical address in RAM; x0 = its record. Uses x1.
hyp_phys_to_page:
        lsr     x0, x0, #PAGE_SHIFT
        ldr     x1, __hyp_vmemmap
        add     x0, x1, x0, lsl #HYP_PAGE_SHIFT
        ret

// check_page_state: x0 = physical address, w1 = states expected, HOST_OWNED and so on.
// x0 = 0, or -EPERM when the states are others, or it is no page of RAM.
check_page_state:
        ldr     x2, hyp_memory + memblock_region.base
        ldr     x3, hyp_memory + memblock_region.size
        sub     x2, x0, x2
        cmp     x2, x3
        b.hs    7f
        tst     x0, #PAGE_SIZE - 1
        b.ne    7f
        mov     w2, w1
        mov     x3, x30
        bl      hyp_phys_to_page
        mov     x30, x3
        ldrb    w0, [x0, #HYP_PAGE_STATES]
        cmp     w0, w2
        b.ne    7f
        mov     x0, #0
        ret
7:      mov     x0, #-EPERM
        ret

// set_page_state: x0 = physical address in RAM, w1 = the new states. Uses x2 and x3.
set_page_state:
        mov     w2, w1
        mov     x3, x30
        bl      hyp_phys_to_page
        strb    w2, [x0, #HYP_PAGE_STATES]
        ret     x3
