// Pipes: a page of administration and 15 of data. What was written is read from the start; the room is used again when
// the pipe has run empty.

        struct  pipe
        member  pipe.read_at
        member  pipe.write_at
        member  pipe.readers
        member  pipe.writers
        endstruct pipe
        .equ    PIPE_ORDER, 4
        .equ    PIPE_BYTES, (PAGE_SIZE << PIPE_ORDER) - PAGE_SIZE
        .equ    EPIPE, 32

// sys_pipe2: x0 = two ints for the descriptors, reading end first; x1 = flags.
sys_pipe2:
        enter
        sub     sp, sp, #16
        mov     x19, x0
        mov     x20, x1
        mov     x0, #PIPE_ORDER
        bl      alloc_pages
        cbz     x0, 8f
        mov     x21, x0
        mov     x1, #1
        stp     x1, x1, [x21, #pipe.readers]
        mov     x0, #FILE_PIPE_READ
        mov     x1, x21
        mov     x2, x20
        bl      open_as
        tbnz    x0, #63, 7f
        str     w0, [sp]
        mov     x0, #FILE_PIPE_WRITE
        mov     x1, x21
        mov     x2, x20
        bl      open_as
        tbnz    x0, #63, 6f
        str     w0, [sp, #4]
        mov     x0, x19
        mov     x1, sp
        mov     x2, #8
        bl      copy_to_user
        cbz     x0, 9f
        mov     x19, x0
        ldr     w0, [sp, #4]
        bl      sys_close
        b       5f
6:      mov     x19, x0
        str     xzr, [x21, #pipe.writers]
5:      ldr     w0, [sp]
        bl      sys_close
        mov     x0, x19
        b       9f
7:      mov     x19, x0
        mov     x0, x21
        mov     x1, #PIPE_ORDER
        bl      free_pages
        mov     x0, x19
        b       9f
8:      mov     x0, #-ENOMEM
9:      add     sp, sp, #16
        leave

// pipe_write: x0 = file, x1 = buffer, x2 = bytes. As much as there is room for.
pipe_write:
        enter
        ldr     x19, [x0, #file.object]
        ldr     x3, [x19, #pipe.readers]
        cbz     x3, 7f
        cbz     x2, 6f
        ldr     x4, [x19, #pipe.write_at]
        mov     x5, #PIPE_BYTES
        subs    x5, x5, x4
        b.eq    8f
        cmp     x2, x5
        csel    x20, x2, x5, lo
        add     x0, x19, #PAGE_SIZE
        add     x0, x0, x4
        mov     x2, x20
        bl      copy_from_user
        cbnz    x0, 9f
        ldr     x4, [x19, #pipe.write_at]
        add     x4, x4, x20
        str     x4, [x19, #pipe.write_at]
        mov     x0, x20
9:      leave
6:      mov     x0, #0
        leave
7:      mov     x0, #-EPIPE
        leave
8:      mov     x0, #-EAGAIN                    // the only reader is the process that writes
        leave

// pipe_read: x0 = file, x1 = buffer, x2 = bytes.
pipe_read:
        enter
        mov     x21, x0
        mov     x22, x1
        mov     x20, x2
        ldr     x19, [x0, #file.object]
1:      ldp     x3, x4, [x19]
        subs    x5, x4, x3
        b.ne    2f
        ldr     x0, [x19, #pipe.writers]
        cbz     x0, 9f
        ldr     x1, [x21, #file.flags]
        tbnz    x1, #11, 8f                     // O_NONBLOCK
        bl      signal_pending
        cbnz    x0, 7f
        bl      wait_for_interrupt
        b       1b
2:      cmp     x20, x5
        csel    x20, x20, x5, lo
        mov     x0, x22
        add     x1, x19, #PAGE_SIZE
        add     x1, x1, x3
        mov     x2, x20
        bl      copy_to_user
        cbnz    x0, 9f
        ldp     x3, x4, [x19]
        add     x3, x3, x20
        cmp     x3, x4
        csel    x3, xzr, x3, eq
        csel    x4, xzr, x4, eq
        stp     x3, x4, [x19]
        mov     x0, x20
9:      leave
7:      mov     x0, #-EINTR
        leave
8:      mov     x0, #-EAGAIN
        leave

// An end is closed: x0 = file. With the last end the pipe goes.
pipe_release_read:
        ldr     x0, [x0, #file.object]
        str     xzr, [x0, #pipe.readers]
        b       1f
pipe_release_write:
        ldr     x0, [x0, #file.object]
        str     xzr, [x0, #pipe.writers]
1:      ldp     x1, x2, [x0, #pipe.readers]
        orr     x1, x1, x2
        mov     x2, x1
        mov     x1, #PIPE_ORDER
        cbz     x2, free_pages
        ret
