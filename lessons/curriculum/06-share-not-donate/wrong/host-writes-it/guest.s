// A normal guest with four pages of RAM at 0x40000000, and its MMU off.
        .equ    MAIL,     0x40002000            // the third page
        .equ    DOORBELL, 0x09000000            // no memory there: a store makes KVM_RUN return

        .global _start
_start:
        ldr     x10, =MAIL
        ldr     x11, =0x6c6c6568
        // <- store x11 to the page at MAIL, whose address is in x10

        ldr     x12, =DOORBELL
        str     wzr, [x12]                      // first ring: the letter is on the page

        ldr     x11, [x10]                      // later: what is on the page now?
        str     x11, [x12]                      // second ring: this

1:      wfi
        b       1b
