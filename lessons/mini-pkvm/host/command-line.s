// Texts, and the words of the kernel command line.

// strlen: x0 = text; x0 = its length.
strlen:
        mov     x1, x0
1:      ldrb    w2, [x1], #1
        cbnz    w2, 1b
        sub     x0, x1, x0
        sub     x0, x0, #1
        ret

// strcmp: x0, x1 = texts; x0 = 0 when they are equal. Changes x0-x4 only up to x3, keeps the rest.
strcmp:
1:      ldrb    w2, [x0], #1
        ldrb    w3, [x1], #1
        cmp     w2, w3
        b.ne    2f
        cbnz    w2, 1b
        mov     x0, #0
        ret
2:      mov     x0, #1
        ret

// get_option: x0 = name with the =; x0 = address of the value of its last occurrence on the command line, or 0.
get_option:
        mov     x6, #0
        ldr     x1, boot_arguments
1:      ldrb    w2, [x1]                        // to the next word
        cbz     w2, 5f
        cmp     w2, #' '
        b.ne    2f
        add     x1, x1, #1
        b       1b
2:      mov     x3, x0
3:      ldrb    w4, [x3], #1
        cbz     w4, 4f
        ldrb    w2, [x1], #1
        // Dashes and underscores are the same in names, as in Linux.
        cmp     w2, #'_'
        b.ne    6f
        mov     w2, #'-'
6:      cmp     w2, w4
        b.eq    3b
        sub     x1, x1, #1
7:      ldrb    w2, [x1]                        // past this word
        cbz     w2, 5f
        cmp     w2, #' '
        b.eq    1b
        add     x1, x1, #1
        b       7b
4:      mov     x6, x1
        b       7b
5:      mov     x0, x6
        ret

// word_is: x0 = text on the command line, x1 = a word; x0 = 1 when the text is the word, up to a space or the end.
word_is:
1:      ldrb    w2, [x0], #1
        ldrb    w3, [x1], #1
        cbz     w3, 2f
        cmp     w2, w3
        b.eq    1b
        mov     x0, #0
        ret
2:      cbz     w2, 3f
        cmp     w2, #' '
        b.eq    3f
        mov     x0, #0
        ret
3:      mov     x0, #1
        ret
