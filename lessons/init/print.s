// Lines on the console. A line is collected and written with one write(2), then drained, so that the kernel's own
// messages do not land in the middle of it.

        .equ    LINE_SIZE, 4096

        .bss
        .balign 8
line_length:
        .skip   8
line:   .skip   LINE_SIZE
        .text

// x0 = address of a text that the macro call spells out.
        .macro  text_address content
        .section .rodata
text\@: .asciz  "\content"
        .text
        adr     x0, text\@
        .endm

        .macro  say content
        text_address "\content"
        bl      put_text
        .endm

// Start a line that has no prefix: begin "key=".
        .macro  begin content
        say     "\content"
        .endm

// Start a line with the prefix that x19 points at: fact "key=".
        .macro  fact content
        mov     x0, x19
        bl      put_text
        say     "\content"
        .endm

// put_byte: w0 = character. Characters beyond the line's size are dropped.
put_byte:
        adr     x1, line_length
        ldr     x2, [x1]
        cmp     x2, #LINE_SIZE - 1
        b.hs    1f
        adr     x3, line
        strb    w0, [x3, x2]
        add     x2, x2, #1
        str     x2, [x1]
1:      ret

// put_text: x0 = NUL-terminated text.
put_text:
        stp     x29, x30, [sp, #-32]!
        str     x20, [sp, #16]
        mov     x20, x0
1:      ldrb    w0, [x20], #1
        cbz     w0, 2f
        bl      put_byte
        b       1b
2:      ldr     x20, [sp, #16]
        ldp     x29, x30, [sp], #32
        ret

// put_hex: x0 = value, printed as 0x and the digits it needs.
put_hex:
        stp     x29, x30, [sp, #-32]!
        stp     x20, x21, [sp, #16]
        mov     x20, x0
        say     "0x"
        // The highest digit that is not zero: (63 - clz(value | 1)) rounded down to a multiple of 4.
        orr     x0, x20, #1
        clz     x0, x0
        mov     x21, #63
        sub     x21, x21, x0
        and     x21, x21, #~3
1:      lsr     x0, x20, x21
        and     x0, x0, #15
        adr     x1, digits
        ldrb    w0, [x1, x0]
        bl      put_byte
        subs    x21, x21, #4
        b.ge    1b
        ldp     x20, x21, [sp, #16]
        ldp     x29, x30, [sp], #32
        ret

        .section .rodata
digits: .ascii  "0123456789abcdef"
        .text

// put_decimal: x0 = unsigned value.
put_decimal:
        stp     x29, x30, [sp, #-32]!
        str     x20, [sp, #16]
        mov     x1, #10
        udiv    x2, x0, x1
        msub    x20, x2, x1, x0
        cbz     x2, 1f
        mov     x0, x2
        bl      put_decimal
1:      add     w0, w20, #'0'
        bl      put_byte
        ldr     x20, [sp, #16]
        ldp     x29, x30, [sp], #32
        ret

// put_result: x0 = what a system call gave: the name of the errno, or the value.
put_result:
        cmn     x0, #4095
        b.lo    put_decimal
        neg     x0, x0
        b       put_errno

// end_line: write the line and wait until the terminal has sent it.
end_line:
        stp     x29, x30, [sp, #-32]!
        str     x20, [sp, #16]
        mov     w0, #'\n'
        bl      put_byte
        adr     x20, line
1:      adr     x3, line_length
        ldr     x2, [x3]
        cbz     x2, 2f
        mov     x1, x20
        mov     x0, #1
        syscall SYS_write
        cmp     x0, #0
        b.le    2f
        add     x20, x20, x0
        adr     x3, line_length
        ldr     x2, [x3]
        sub     x2, x2, x0
        str     x2, [x3]
        b       1b
2:      adr     x3, line_length
        str     xzr, [x3]
        mov     x0, #1
        mov     x1, #TCSBRK
        mov     x2, #1
        syscall SYS_ioctl
        ldr     x20, [sp, #16]
        ldp     x29, x30, [sp], #32
        ret
