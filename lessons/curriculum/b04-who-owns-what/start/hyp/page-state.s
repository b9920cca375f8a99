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
// x0 = 0, -EPERM when the states are others, -EINVAL when it is no page of RAM.
check_page_state:
        // <- 2. Is it a page of RAM (else 8f), and is the byte of its record what is expected (else 7f)?
        mov     x0, #0                          // for now everybody may do everything
        ret
7:      mov     x0, #-EPERM
        ret
8:      mov     x0, #-EINVAL
        ret

// set_page_state: x0 = physical address in RAM, w1 = the new states. Uses x2 and x3.
set_page_state:
        // <- 1. Write it into the page's record.
        ret
