// The console: a PL011, driven by looking at its flags. Everything the kernel prints is also kept for syslog(2).

        .equ    UARTDR, 0x00
        .equ    UARTFR, 0x18
        .equ    UARTFR_RXFE, 4                  // receive FIFO empty
        .equ    UARTFR_TXFF, 5                  // transmit FIFO full
        .equ    UARTLCR_H, 0x2c
        .equ    UARTCR, 0x30
        .equ    UARTIMSC, 0x38
        .equ    LOG_SIZE, 4096

        .bss
        .balign 8
log_length:
        .skip   8
log_buffer:
        .skip   LOG_SIZE
        .text

console_init:
        ldr     x0, console_uart
        cbz     x0, 1f
        mov     w1, #0x70                       // 8 bits, FIFOs on
        str     w1, [x0, #UARTLCR_H]
        mov     w1, #0x301                      // transmit, receive, UART on
        str     w1, [x0, #UARTCR]
1:      ret

// uart_put: x0 = UART (VA), w1 = byte.
uart_put:
1:      ldr     w2, [x0, #UARTFR]
        tbnz    w2, #UARTFR_TXFF, 1b
        str     w1, [x0, #UARTDR]
        ret

// console_put: w1 = character; a carriage return goes before each newline.
console_put:
        stp     x29, x30, [sp, #-32]!
        mov     x29, sp
        str     x19, [sp, #16]
        mov     w19, w1
        ldr     x0, console_uart
        cbz     x0, 2f
        cmp     w19, #'\n'
        b.ne    1f
        mov     w1, #'\r'
        bl      uart_put
1:      mov     w1, w19
        bl      uart_put
2:      ldr     x19, [sp, #16]
        ldp     x29, x30, [sp], #32
        ret

// printk: x0 = text.
printk:
        enter
        mov     x19, x0
1:      ldrb    w1, [x19], #1
        cbz     w1, 3f
        adr     x2, log_length
        ldr     x3, [x2]
        cmp     x3, #LOG_SIZE
        b.hs    2f
        adr     x4, log_buffer
        strb    w1, [x4, x3]
        add     x3, x3, #1
        str     x3, [x2]
2:      bl      console_put
        b       1b
3:      leave

// print_hex: x0 = value, 16 digits.
print_hex:
        enter
        sub     sp, sp, #32
        mov     x1, sp
        mov     x2, #60
1:      lsr     x3, x0, x2
        and     x3, x3, #15
        cmp     x3, #10
        add     x4, x3, #'0'
        add     x5, x3, #'a' - 10
        csel    x3, x4, x5, lo
        strb    w3, [x1], #1
        subs    x2, x2, #4
        b.ge    1b
        strb    wzr, [x1]
        mov     x0, sp
        bl      printk
        add     sp, sp, #32
        leave

// decimal: x0 = value, x1 = where to; x0 = end of the digits, without a NUL.
decimal:
        sub     sp, sp, #32
        add     x2, sp, #32
        mov     x3, #10
1:      udiv    x4, x0, x3
        msub    x5, x4, x3, x0
        add     w5, w5, #'0'
        strb    w5, [x2, #-1]!
        mov     x0, x4
        cbnz    x0, 1b
        add     x6, sp, #32
2:      ldrb    w5, [x2], #1
        strb    w5, [x1], #1
        cmp     x2, x6
        b.lo    2b
        mov     x0, x1
        add     sp, sp, #32
        ret
