// Small files of /proc and /sys, and mounting.

// Add a file's first line to the line being collected; the errno's name when it cannot be read.
        .macro  file path
        text_address "\path"
        bl      put_file
        .endm

// Mount file system `type` on `directory`; prints a line when that fails.
        .macro  mount type, directory
        text_address "\type"
        mov     x2, x0
        text_address "\directory"
        mov     x1, x0
        bl      mount_one
        .endm

        .equ    FILE_SIZE, 4096

        .bss
        .balign 8
file_bytes:
        .skip   FILE_SIZE
        .text

// open_file: x0 = path, x1 = flags; gives a descriptor or -errno.
open_file:
        mov     x2, x1
        mov     x1, x0
        mov     x0, #AT_FDCWD
        mov     x3, #0
        syscall SYS_openat
        ret

// read_file: x0 = path. Reads its start into file_bytes, NUL-terminated; gives the length or -errno.
read_file:
        stp     x29, x30, [sp, #-32]!
        stp     x20, x21, [sp, #16]
        mov     x1, #O_RDONLY
        bl      open_file
        tbnz    x0, #63, 1f
        mov     x20, x0
        adr     x1, file_bytes
        mov     x2, #FILE_SIZE - 1
        syscall SYS_read
        mov     x21, x0
        mov     x0, x20
        syscall SYS_close
        mov     x0, x21
        tbnz    x0, #63, 1f
        adr     x1, file_bytes
        strb    wzr, [x1, x0]
1:      ldp     x20, x21, [sp, #16]
        ldp     x29, x30, [sp], #32
        ret

// cut_line: end file_bytes at its first newline.
cut_line:
        adr     x1, file_bytes
1:      ldrb    w2, [x1]
        cbz     w2, 2f
        cmp     w2, #'\n'
        b.eq    2f
        add     x1, x1, #1
        b       1b
2:      strb    wzr, [x1]
        ret

// put_file: x0 = path.
put_file:
        stp     x29, x30, [sp, #-16]!
        bl      read_file
        tbnz    x0, #63, 1f
        bl      cut_line
        adr     x0, file_bytes
        bl      put_text
        b       2f
1:      bl      put_result
2:      ldp     x29, x30, [sp], #16
        ret

// mount_one: x1 = directory, x2 = type.
mount_one:
        stp     x29, x30, [sp, #-32]!
        stp     x20, x21, [sp, #16]
        mov     x20, x1
        // The directory may be missing from an initrd that someone else packed.
        mov     x21, x2
        mov     x0, #AT_FDCWD
        mov     x2, #0755
        syscall SYS_mkdirat
        mov     x0, x21
        mov     x1, x20
        mov     x2, x21
        mov     x3, #0
        mov     x4, #0
        syscall SYS_mount
        cbz     x0, 1f
        mov     x21, x0
        begin   "mount."
        mov     x0, x20
        bl      put_text
        say     "="
        mov     x0, x21
        bl      put_result
        bl      end_line
1:      ldp     x20, x21, [sp, #16]
        ldp     x29, x30, [sp], #32
        ret
