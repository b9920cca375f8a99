// The console and the second UART as files. Both are raw: a byte is a byte, but for the carriage return that the
// console puts before a newline.

        .equ    TCGETS, 0x5401
        .equ    TCSETSF, 0x5404
        .equ    TCSBRK, 0x5409
        .equ    TIOCSCTTY, 0x540e
        .equ    TERMIOS_BYTES, 36
        .equ    UART_INT_RECEIVE, 0x50          // receive, receive timeout
        .equ    BOUNCE, 64

// open_console: descriptors 0, 1 and 2 of the process.
open_console:
        enter
        mov     x0, #0
        bl      open_console_file
        mov     x1, #1
        bl      sys_dup3
        mov     x0, #0
        mov     x1, #2
        bl      sys_dup3
        leave

open_console_file:
        mov     x2, x0
        ldr     x1, console_uart
        mov     x0, #FILE_CONSOLE
        b       open_as
open_terminal:
        mov     x2, x0
        ldr     x1, second_uart
        cbz     x1, 1f
        mov     w3, #0x70                       // 8 bits, FIFOs on
        str     w3, [x1, #UARTLCR_H]
        mov     w3, #0x301                      // transmit, receive, UART on
        str     w3, [x1, #UARTCR]
        mov     x0, #FILE_TERMINAL
        b       open_as
1:      mov     x0, #-ENOENT
        ret

// terminal_read: x0 = file, x1 = buffer, x2 = bytes. Waits for the first byte, gives what there is.
// x19 = UART, x20 = buffer, x21 = room left, x22 = bytes given, x23 = file
terminal_read:
        enter
        sub     sp, sp, #BOUNCE
        mov     x23, x0
        ldr     x19, [x0, #file.object]
        mov     x20, x1
        mov     x21, x2
        mov     x22, #0
        cbz     x21, 8f
1:      mov     x24, #0                         // bytes collected
2:      ldr     w1, [x19, #UARTFR]
        tbnz    w1, #UARTFR_RXFE, 3f
        ldr     w1, [x19, #UARTDR]
        strb    w1, [sp, x24]
        add     x24, x24, #1
        cmp     x24, x21
        b.eq    3f
        cmp     x24, #BOUNCE
        b.lo    2b
3:      cbz     x24, 4f
        mov     x0, x20
        mov     x1, sp
        mov     x2, x24
        bl      copy_to_user
        cbnz    x0, 9f
        add     x20, x20, x24
        add     x22, x22, x24
        subs    x21, x21, x24
        b.ne    1b
        b       8f
4:      cbnz    x22, 8f
        ldr     x1, [x23, #file.flags]
        mov     x0, #-EAGAIN
        tbnz    x1, #11, 9f                     // O_NONBLOCK
        bl      signal_pending
        cbnz    x0, 7f
        mov     w1, #UART_INT_RECEIVE
        str     w1, [x19, #UARTIMSC]
        bl      wait_for_interrupt
        b       1b
7:      mov     x0, #-EINTR
        b       9f
8:      mov     x0, x22
9:      add     sp, sp, #BOUNCE
        leave

// console_write, terminal_write: x0 = file, x1 = buffer, x2 = bytes.
console_write:
        adr     x3, console_put
        b       1f
terminal_write:
        adr     x3, uart_put
1:      stp     x29, x30, [sp, #-80]!
        mov     x29, sp
        stp     x19, x20, [sp, #16]
        stp     x21, x22, [sp, #32]
        stp     x23, x24, [sp, #48]
        stp     x25, x26, [sp, #64]
        sub     sp, sp, #BOUNCE
        ldr     x19, [x0, #file.object]
        mov     x20, x1
        mov     x21, x2
        mov     x22, x2
        mov     x23, x3
2:      cbz     x22, 5f
        mov     x24, #BOUNCE
        cmp     x22, x24
        csel    x24, x22, x24, lo
        mov     x0, sp
        mov     x1, x20
        mov     x2, x24
        bl      copy_from_user
        cbnz    x0, 6f
        mov     x25, sp
        add     x26, x25, x24
3:      ldrb    w1, [x25], #1
        mov     x0, x19
        blr     x23
        cmp     x25, x26
        b.lo    3b
        add     x20, x20, x24
        sub     x22, x22, x24
        b       2b
5:      mov     x0, x21
6:      add     sp, sp, #BOUNCE
        ldp     x25, x26, [sp, #64]
        ldp     x23, x24, [sp, #48]
        ldp     x21, x22, [sp, #32]
        ldp     x19, x20, [sp, #16]
        ldp     x29, x30, [sp], #80
        ret

// terminal_ioctl: settings are accepted and change nothing; output is always sent already.
terminal_ioctl:
        enter
        sub     w3, w1, #TCGETS & 0xfff         // all of them are 0x54..
        sub     w3, w3, #TCGETS & ~0xfff
        cbz     w3, 1f
        cmp     w3, #TCSETSF - TCGETS
        b.ls    2f
        cmp     w3, #TCSBRK - TCGETS
        b.eq    2f
        cmp     w3, #TIOCSCTTY - TCGETS
        b.eq    2f
        mov     x0, #-ENOTTY
        leave
1:      mov     x0, x2
        adr     x1, empty_pg_dir                // zeroes
        mov     x2, #TERMIOS_BYTES
        bl      copy_to_user
        leave
2:      mov     x0, #0
        leave
