// A protected guest. It writes to its second page, lends the page to the host, says what came of it, reads what the host
// has put there, takes the page back, and says what came of that; twice, for the second time is not allowed.
        .equ    PAGE, 0x40001000
        .equ    WORD, 0x600d600d
        .equ    MEM_SHARE, 0xc6000003           // ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID
        .equ    MEM_UNSHARE, 0xc6000004
        .equ    DOORBELL, 0x09000000            // no memory there: a store makes KVM_RUN return

        .global _start
_start:
        ldr     x19, =PAGE
        ldr     x1, =WORD
        str     x1, [x19]
        ldr     w0, =MEM_SHARE
        bl      call
        ldr     x5, [x19]                       // what is there now
        str     x5, [x4]
        ldr     w0, =MEM_UNSHARE
        bl      call
        ldr     w0, =MEM_UNSHARE
        bl      call
1:      wfi
        b       1b

// call: w0 = function. About the page; the result goes to the host, 0 or -3.
call:   mov     x1, x19
        mov     x2, #0
        mov     x3, #0
        hvc     #0
        ldr     x4, =DOORBELL
        str     w0, [x4]
        ret
