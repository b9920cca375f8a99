// Names of error numbers (include/uapi/asm-generic/errno-base.h and errno.h).

// put_errno: x0 = error number; without a name its number is printed: errno 200.
put_errno:
        adr     x1, errno_names
1:      ldrb    w2, [x1], #1
        cbz     w2, 3f
        cmp     w2, w0
        b.eq    4f
2:      ldrb    w2, [x1], #1            // past the name
        cbnz    w2, 2b
        b       1b
3:      stp     x29, x30, [sp, #-32]!
        str     x20, [sp, #16]
        mov     x20, x0
        say     "errno "
        mov     x0, x20
        bl      put_decimal
        ldr     x20, [sp, #16]
        ldp     x29, x30, [sp], #32
        ret
4:      mov     x0, x1
        b       put_text

        .macro  errno number, name
        .byte   \number
        .asciz  "\name"
        .endm

        .section .rodata
errno_names:
        errno   1, EPERM
        errno   2, ENOENT
        errno   3, ESRCH
        errno   4, EINTR
        errno   5, EIO
        errno   6, ENXIO
        errno   7, E2BIG
        errno   8, ENOEXEC
        errno   9, EBADF
        errno   10, ECHILD
        errno   11, EAGAIN
        errno   12, ENOMEM
        errno   13, EACCES
        errno   14, EFAULT
        errno   15, ENOTBLK
        errno   16, EBUSY
        errno   17, EEXIST
        errno   18, EXDEV
        errno   19, ENODEV
        errno   20, ENOTDIR
        errno   21, EISDIR
        errno   22, EINVAL
        errno   23, ENFILE
        errno   24, EMFILE
        errno   25, ENOTTY
        errno   26, ETXTBSY
        errno   27, EFBIG
        errno   28, ENOSPC
        errno   29, ESPIPE
        errno   30, EROFS
        errno   31, EMLINK
        errno   32, EPIPE
        errno   33, EDOM
        errno   34, ERANGE
        errno   38, ENOSYS
        errno   40, ELOOP
        errno   75, EOVERFLOW
        errno   95, EOPNOTSUPP
        errno   110, ETIMEDOUT
        .byte   0
        .text
