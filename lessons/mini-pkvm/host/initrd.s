// The initrd: a cpio archive in the newc format. Only one file of it is wanted.

        .equ    CPIO_HEADER, 110                // magic and 13 numbers of 8 hexadecimal digits
        .equ    CPIO_FILESIZE, 54
        .equ    CPIO_NAMESIZE, 94

// find_in_initrd: x0 = name; x0 = the file's content (VA) or 0, x1 = its bytes.
// x19 = name, x20 = header, x21 = end of the archive, x22 = bytes of the name, x23 = bytes of the file
find_in_initrd:
        enter
        mov     x19, x0
        ldr     x20, initrd_start
        cbz     x20, 9f
        va_of   x20, x20
        ldr     x21, initrd_end
        va_of   x21, x21
1:      add     x0, x20, #CPIO_HEADER
        cmp     x0, x21
        b.hs    9f
        ldr     w0, [x20]
        ldr     w1, =0x37303730                 // "0707"
        cmp     w0, w1
        b.ne    9f
        add     x0, x20, #CPIO_NAMESIZE
        bl      hexadecimal_8
        mov     x22, x0
        add     x0, x20, #CPIO_FILESIZE
        bl      hexadecimal_8
        mov     x23, x0
        mov     x0, x19
        add     x1, x20, #CPIO_HEADER
        bl      strcmp
        // Name and content each end at a multiple of 4.
        add     x20, x20, #CPIO_HEADER
        add     x20, x20, x22
        add     x20, x20, #3
        and     x20, x20, #~3
        cbz     x0, 2f
        add     x20, x20, x23
        add     x20, x20, #3
        and     x20, x20, #~3
        b       1b
2:      mov     x0, x20
        mov     x1, x23
        leave
9:      mov     x0, #0
        leave

// hexadecimal_8: x0 = 8 digits; x0 = their value. Lower or upper case.
hexadecimal_8:
        mov     x1, x0
        mov     x0, #0
        mov     x2, #8
1:      ldrb    w3, [x1], #1
        tbz     w3, #6, 2f
        add     w3, w3, #9                      // a letter: its low four bits count from 1
2:      and     w3, w3, #15
        orr     x0, x3, x0, lsl #4
        subs    x2, x2, #1
        b.ne    1b
        ret
