// Copies between the kernel and the process. LDTR and STTR have EL0's permissions. An access in here that cannot be
// mended (faults.s) goes on at uaccess_fault, so that the system call ends with -EFAULT. Nothing here has a frame.

uaccess_begin:
// copy_from_user: x0 = to (kernel), x1 = from (user), x2 = bytes; x0 = 0 or -EFAULT.
copy_from_user:
        mov     x4, x1
        add     x5, x1, x2
        lsr     x4, x4, #39
        lsr     x5, x5, #39
        orr     x4, x4, x5
        cbnz    x4, uaccess_fault
        subs    x2, x2, #8
        b.lo    2f
1:      ldtr    x3, [x1]
        str     x3, [x0], #8
        add     x1, x1, #8
        subs    x2, x2, #8
        b.hs    1b
2:      adds    x2, x2, #8
        b.eq    4f
3:      ldtrb   w3, [x1]
        strb    w3, [x0], #1
        add     x1, x1, #1
        subs    x2, x2, #1
        b.ne    3b
4:      mov     x0, #0
        ret

// copy_to_user: x0 = to (user), x1 = from (kernel), x2 = bytes; x0 = 0 or -EFAULT.
copy_to_user:
        mov     x4, x0
        add     x5, x0, x2
        lsr     x4, x4, #39
        lsr     x5, x5, #39
        orr     x4, x4, x5
        cbnz    x4, uaccess_fault
        subs    x2, x2, #8
        b.lo    2f
1:      ldr     x3, [x1], #8
        sttr    x3, [x0]
        add     x0, x0, #8
        subs    x2, x2, #8
        b.hs    1b
2:      adds    x2, x2, #8
        b.eq    4f
3:      ldrb    w3, [x1], #1
        sttrb   w3, [x0]
        add     x0, x0, #1
        subs    x2, x2, #1
        b.ne    3b
4:      mov     x0, #0
        ret

// text_from_user: x0 = to (kernel), x1 = from (user), x2 = room; x0 = 0, -EFAULT, or -ENAMETOOLONG.
        .equ    ENAMETOOLONG, 36
text_from_user:
1:      lsr     x4, x1, #39
        cbnz    x4, uaccess_fault
        ldtrb   w3, [x1]
        strb    w3, [x0], #1
        cbz     w3, 2f
        add     x1, x1, #1
        subs    x2, x2, #1
        b.ne    1b
        mov     x0, #-ENAMETOOLONG
        ret
2:      mov     x0, #0
        ret
uaccess_end:

uaccess_fault:
        mov     x0, #-EFAULT
        ret
