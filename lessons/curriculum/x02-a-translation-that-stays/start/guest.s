// A protected guest with two pages that the host has looked at. It puts a secret on the first and rings; lends the second
// to the host and rings; takes it back, puts a secret there too, and rings.
        .equ    PRIVATE_PAGE, 0x40001000
        .equ    LENT_PAGE, 0x40002000
        .equ    DOORBELL, 0x09000000            // no memory there: a store makes KVM_RUN return
        .equ    SECRET, 0x5ec4e7
        .equ    MEM_SHARE, 0xc6000003           // calls of a protected guest to the hypervisor
        .equ    MEM_UNSHARE, 0xc6000004

        .global _start
_start:
        ldr     x10, =PRIVATE_PAGE
        ldr     x11, =LENT_PAGE
        ldr     x12, =DOORBELL
        ldr     x13, =SECRET
        str     x13, [x10]
        str     wzr, [x12]                      // first ring

        ldr     x14, =0x6c6c6568
        str     x14, [x11]
        ldr     x0, =MEM_SHARE
        bl      call
        str     w0, [x12]                       // second ring: the call's result

        ldr     x0, =MEM_UNSHARE
        bl      call
        str     x13, [x11]
        str     w0, [x12]                       // third ring
1:      wfi
        b       1b

call:   mov     x1, x11                         // x0 = call, about the page at x11
        mov     x2, #0
        mov     x3, #0
        hvc     #0
        ret
