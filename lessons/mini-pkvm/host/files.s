// Open files: descriptors, the kinds of file, and the calls that work on any of them.

        .equ    AT_FDCWD, -100
        .equ    O_NONBLOCK, 0x800
        .equ    ESPIPE, 29
        .equ    PATH_BYTES, 64                  // the longest path here is shorter

// What can be done with each kind of file: read, write, pread, pwrite, ioctl, release; 0 where it cannot.
// x0 = file; read and write: x1 = user's buffer, x2 = bytes, x3 = offset (pread, pwrite); ioctl: x1 = request,
// x2 = argument.
        .equ    OP_READ, 0
        .equ    OP_WRITE, 4
        .equ    OP_PREAD, 8
        .equ    OP_PWRITE, 12
        .equ    OP_IOCTL, 16
        .equ    OP_RELEASE, 20

        .set    file_kinds, 0
        .macro  file_kind name, read, write, pread, pwrite, ioctl, release
        .equ    \name, file_kinds
        .set    file_kinds, file_kinds + 1
        .word   \read - none, \write - none, \pread - none, \pwrite - none, \ioctl - none, \release - none
        .endm

        .balign 8
none:                                           // so that `none` becomes 0
file_operations:
        file_kind FILE_NONE, none, none, none, none, none, none
        file_kind FILE_CONSOLE, terminal_read, console_write, none, none, terminal_ioctl, none
        file_kind FILE_TERMINAL, terminal_read, terminal_write, none, none, terminal_ioctl, none
        file_kind FILE_NULL, null_read, null_write, none, none, none, none
        file_kind FILE_TEXT, text_read, none, text_pread, none, none, text_release
        file_kind FILE_MEM, none, none, mem_pread, mem_pwrite, none, none
        file_kind FILE_PAGEMAP, none, none, pagemap_pread, none, none, none
        file_kind FILE_PIPE_READ, pipe_read, none, none, none, none, pipe_release_read
        file_kind FILE_PIPE_WRITE, none, pipe_write, none, none, none, pipe_release_write
        file_kind FILE_KVM, none, none, none, none, kvm_dev_ioctl, none
        file_kind FILE_VM, none, none, none, none, kvm_vm_ioctl, kvm_vm_release
        file_kind FILE_VCPU, none, none, none, none, kvm_vcpu_ioctl, kvm_vcpu_release

        .bss
        .balign 8
files:  .skip   file.sizeof * MOST_FILES
files_end:
        .text

// file_of: x0 = descriptor; x0 = its struct file, or 0.
file_of:
        cmp     x0, #MOST_FILES
        b.hs    1f
        adr     x1, descriptors
        ldr     x0, [x1, x0, lsl #3]
        ret
1:      mov     x0, #0
        ret

// open_as: x0 = kind, x1 = object, x2 = flags; x0 = a new descriptor for a new file, or -EMFILE.
open_as:
        adr     x3, files
        adr     x4, files_end
1:      ldr     w5, [x3, #file.kind]
        cbz     w5, 2f
        add     x3, x3, #file.sizeof
        cmp     x3, x4
        b.lo    1b
        b       9f
2:      adr     x4, descriptors
        mov     x6, #0
3:      ldr     x5, [x4, x6, lsl #3]
        cbz     x5, 4f
        add     x6, x6, #1
        cmp     x6, #MOST_FILES
        b.lo    3b
9:      mov     x0, #-EMFILE
        ret
4:      str     x3, [x4, x6, lsl #3]
        mov     w5, #1
        stp     w0, w5, [x3]
        stp     x1, xzr, [x3, #file.object]
        stp     xzr, x2, [x3, #file.position]
        mov     x0, x6
        ret

// get_file, put_file: x0 = file. With the last reference goes what it stands for.
get_file:
        ldr     w1, [x0, #file.count]
        add     w1, w1, #1
        str     w1, [x0, #file.count]
        ret
put_file:
        enter
        mov     x19, x0
        ldr     w1, [x0, #file.count]
        subs    w1, w1, #1
        str     w1, [x0, #file.count]
        b.ne    9f
        mov     x1, #OP_RELEASE
        bl      file_operation
        cbz     x9, 1f
        mov     x0, x19
        blr     x9
1:      str     wzr, [x19, #file.kind]
9:      leave

// file_operation: x0 = file, x1 = OP_; x9 = the function, or 0. Keeps x0 and x2-x8.
file_operation:
        ldr     w9, [x0, #file.kind]
        mov     w10, #24
        madd    x10, x9, x10, x1
        adr     x11, file_operations
        ldrsw   x9, [x11, x10]
        cbz     x9, 1f
        add     x9, x9, x11
1:      ret

// call_file: x0 = descriptor, x1 = OP_, x2-x4 = arguments, x5 = errno when this kind of file cannot.
call_file:
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        mov     x6, x1
        bl      file_of
        mov     x1, x6
        cbz     x0, 8f
        bl      file_operation
        cbz     x9, 9f
        mov     x1, x2
        mov     x2, x3
        mov     x3, x4
        ldp     x29, x30, [sp], #16
        br      x9
8:      mov     x5, #EBADF
9:      neg     x0, x5
        ldp     x29, x30, [sp], #16
        ret

        .macro  file_call name, operation, errno
\name:  mov     x4, x3
        mov     x3, x2
        mov     x2, x1
        mov     x1, #\operation
        mov     x5, #\errno
        b       call_file
        .endm

        file_call sys_read, OP_READ, EINVAL
        file_call sys_write, OP_WRITE, EINVAL
        file_call sys_pread64, OP_PREAD, ESPIPE
        file_call sys_pwrite64, OP_PWRITE, ESPIPE
        file_call sys_ioctl, OP_IOCTL, ENOTTY

// sys_close: x0 = descriptor.
sys_close:
        enter
        mov     x19, x0
        bl      file_of
        cbz     x0, 8f
        adr     x1, descriptors
        str     xzr, [x1, x19, lsl #3]
        bl      put_file
        mov     x0, #0
        leave
8:      mov     x0, #-EBADF
        leave

// sys_dup: x0 = descriptor; x0 = the lowest free one, meaning the same file.
sys_dup:
        enter
        mov     x19, x0
        bl      file_of
        cbz     x0, 8f
        adr     x1, descriptors
        mov     x2, #0
1:      ldr     x3, [x1, x2, lsl #3]
        cbz     x3, 2f
        add     x2, x2, #1
        cmp     x2, #MOST_FILES
        b.lo    1b
        mov     x0, #-EMFILE
        leave
2:      mov     x0, x19
        mov     x1, x2
        bl      sys_dup3
        leave
8:      mov     x0, #-EBADF
        leave

// sys_dup3: x0 = descriptor, x1 = the number that is to mean the same file.
sys_dup3:
        enter
        mov     x19, x0
        mov     x20, x1
        cmp     x0, x1
        b.eq    7f
        bl      file_of
        cbz     x0, 8f
        mov     x21, x0
        cmp     x20, #MOST_FILES
        b.hs    8f
        bl      get_file
        mov     x0, x20
        bl      sys_close                       // whatever it was
        adr     x1, descriptors
        str     x21, [x1, x20, lsl #3]
        mov     x0, x20
        leave
7:      mov     x0, #-EINVAL
        leave
8:      mov     x0, #-EBADF
        leave

// All files there are: each has a function that opens it (x0 = flags; a descriptor or a negative errno).
        .macro  path name, opener
        .section .rodata
path\@: .asciz  "\name"
        .text
        .word   path\@ - paths, \opener - paths
        .endm

        .balign 8
paths:  path    "/dev/kvm", open_kvm
        path    "/dev/console", open_console_file
        path    "/dev/ttyAMA0", open_console_file
        path    "/dev/ttyAMA1", open_terminal
        path    "/dev/null", open_null
        path    "/proc/version", open_version
        path    "/proc/cmdline", open_cmdline
        path    "/proc/sys/kernel/tainted", open_tainted
        path    "/proc/sys/kernel/osrelease", open_osrelease
        path    "/proc/meminfo", open_meminfo
        path    "/proc/self/status", open_status
        path    "/proc/self/mem", open_mem
        path    "/proc/self/pagemap", open_pagemap
        .word   0

// sys_openat: x1 = path, x2 = flags. The path starts at the root.
sys_openat:
        enter
        sub     sp, sp, #PATH_BYTES
        mov     x20, x2
        mov     x0, sp
        mov     x2, #PATH_BYTES
        bl      text_from_user
        cmn     x0, #ENAMETOOLONG
        b.eq    3f
        cbnz    x0, 9f
        adr     x19, paths
1:      ldrsw   x1, [x19], #8
        cbz     w1, 3f
        adr     x0, paths
        add     x0, x0, x1
        mov     x1, sp
        bl      strcmp
        cbnz    x0, 1b
        ldrsw   x1, [x19, #-4]
        adr     x2, paths
        add     x1, x1, x2
        mov     x0, x20
        blr     x1
        b       9f
3:      mov     x0, #-ENOENT
9:      add     sp, sp, #PATH_BYTES
        leave

open_null:
        mov     x2, x0
        mov     x0, #FILE_NULL
        mov     x1, #0
        b       open_as
null_read:
        mov     x0, #0
        ret
null_write:
        mov     x0, x2
        ret
