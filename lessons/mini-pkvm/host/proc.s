// Files of /proc: texts that are made when they are opened, and the process's own memory as the kernel sees it.

        .equ    EACCES, 13
        .equ    PAGEMAP_PRESENT, 1 << 63

// open_text: x0 = flags, x1 = function that writes the text to x0 and gives its end; a descriptor or a negative errno.
open_text:
        enter
        mov     x19, x0
        mov     x20, x1
        tst     x0, #3                          // to read only
        b.ne    8f
        bl      alloc_page
        cbz     x0, 7f
        mov     x21, x0
        blr     x20
        sub     x22, x0, x21
        mov     x0, #FILE_TEXT
        mov     x1, x21
        mov     x2, x19
        bl      open_as
        tbnz    x0, #63, 6f
        mov     x19, x0
        bl      file_of
        str     x22, [x0, #file.size]
        mov     x0, x19
        leave
6:      mov     x19, x0
        mov     x0, x21
        bl      put_page
        mov     x0, x19
        leave
7:      mov     x0, #-ENOMEM
        leave
8:      mov     x0, #-EACCES
        leave

text_release:
        ldr     x0, [x0, #file.object]
        b       put_page

// text_read, text_pread: x0 = file, x1 = buffer, x2 = bytes, x3 = offset.
text_read:
        enter
        mov     x19, x0
        ldr     x3, [x0, #file.position]
        bl      text_pread
        tbnz    x0, #63, 1f
        ldr     x3, [x19, #file.position]
        add     x3, x3, x0
        str     x3, [x19, #file.position]
1:      leave
text_pread:
        enter
        ldr     x4, [x0, #file.object]
        ldr     x5, [x0, #file.size]
        subs    x5, x5, x3
        csel    x5, xzr, x5, ls
        cmp     x2, x5
        csel    x19, x2, x5, lo
        mov     x0, x1
        add     x1, x4, x3
        mov     x2, x19
        cbz     x2, 1f
        bl      copy_to_user
        cbnz    x0, 2f
1:      mov     x0, x19
2:      leave

// append: x0 = where, x1 = text; x0 = where its end is then.
append:
1:      ldrb    w2, [x1], #1
        cbz     w2, 2f
        strb    w2, [x0], #1
        b       1b
2:      ret

        .macro  text_file name, writer
\name:  adr     x1, \writer
        b       open_text
        .endm

        text_file open_version, version_text
        text_file open_cmdline, cmdline_text
        text_file open_tainted, tainted_text
        text_file open_osrelease, osrelease_text
        text_file open_meminfo, meminfo_text
        text_file open_status, status_text

version_text:
        adr     x1, proc_version
        b       append
cmdline_text:
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        ldr     x1, boot_arguments
        bl      append
        mov     w1, #'\n'
        strb    w1, [x0], #1
        ldp     x29, x30, [sp], #16
        ret
tainted_text:
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        mov     x1, x0
        ldr     x0, tainted_mask
        bl      decimal
        mov     w1, #'\n'
        strb    w1, [x0], #1
        ldp     x29, x30, [sp], #16
        ret
osrelease_text:
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        adr     x1, utsname_release
        bl      append
        mov     w1, #'\n'
        strb    w1, [x0], #1
        ldp     x29, x30, [sp], #16
        ret

// A line of a number of pages, in kilobytes: x0 = where, x1 = its name, x2 = pages; x0 = where its end is then.
append_pages:
        enter
        mov     x19, x2
        bl      append
        mov     x1, x0
        lsl     x0, x19, #PAGE_SHIFT - 10
        bl      decimal
        adr     x1, proc_kilobytes
        bl      append
        leave

meminfo_text:
        enter
        adr     x1, meminfo_total
        ldr     x2, ram_bytes
        lsr     x2, x2, #PAGE_SHIFT
        bl      append_pages
        adr     x1, meminfo_free
        ldr     x2, free_count
        bl      append_pages
        leave

status_text:
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        adr     x1, proc_status
        adr     x2, init_task
        ldr     x2, [x2, #task_struct.locked_vm]
        bl      append_pages
        ldp     x29, x30, [sp], #16
        ret

        .section .rodata
proc_version:   .asciz "mini-pKVM version 7.2-mini (A64 assembly, pKVM Lab)\n"
proc_status:    .asciz "Name:\tinit\nPid:\t1\nVmLck:\t"
proc_kilobytes: .asciz " kB\n"
meminfo_total:  .asciz "MemTotal: "
meminfo_free:   .asciz "MemFree: "
        .text

open_mem:
        mov     x2, x0
        mov     x0, #FILE_MEM
        mov     x1, #0
        b       open_as
open_pagemap:
        mov     x2, x0
        mov     x0, #FILE_PAGEMAP
        mov     x1, #0
        b       open_as

// mem_pread, mem_pwrite: x1 = buffer, x2 = bytes, x3 = address. The page is found by the process's tables, protections
// or not, and read and written through the kernel's own map of all memory.
mem_pread:
        mov     x4, #0
        b       1f
mem_pwrite:
        mov     x4, #1
1:      stp     x29, x30, [sp, #-80]!
        mov     x29, sp
        stp     x19, x20, [sp, #16]
        stp     x21, x22, [sp, #32]
        stp     x23, x24, [sp, #48]
        str     x25, [sp, #64]
        mov     x19, x1
        mov     x20, x2
        mov     x21, x3
        mov     x22, x4
        mov     x25, x2
2:      cbz     x20, 5f
        mov     x0, x21
        mov     x1, #0
        bl      user_page
        cmn     x0, #EFAULT
        b.eq    4f
        and     x1, x21, #PAGE_MASK
        add     x0, x0, x1
        mov     x2, #PAGE_SIZE
        sub     x23, x2, x1
        cmp     x23, x20
        csel    x23, x23, x20, lo
        mov     x1, x0
        mov     x0, x19
        mov     x2, x23
        cbnz    x22, 6f
        bl      copy_to_user
        b       7f
6:      mov     x3, x0
        mov     x0, x1
        mov     x1, x3
        bl      copy_from_user
7:      cbnz    x0, 8f
        add     x19, x19, x23
        add     x21, x21, x23
        sub     x20, x20, x23
        b       2b
4:      cmp     x20, x25                        // nothing at all?
        mov     x0, #-EIO
        b.eq    8f
5:      sub     x0, x25, x20
8:      ldr     x25, [sp, #64]
        ldp     x23, x24, [sp, #48]
        ldp     x21, x22, [sp, #32]
        ldp     x19, x20, [sp, #16]
        ldp     x29, x30, [sp], #80
        ret

// pagemap_pread: one 64-bit entry for each page: bit 63 present, the page frame number below.
pagemap_pread:
        enter
        sub     sp, sp, #16
        mov     x19, x1
        orr     x0, x2, x3
        tst     x0, #7
        b.ne    8f
        mov     x20, x2
        mov     x21, x2
        lsl     x22, x3, #PAGE_SHIFT - 3
1:      cbz     x20, 3f
        mov     x0, x22
        lsr     x1, x0, #39
        mov     x2, #0
        cbnz    x1, 2f
        mov     x1, #0
        bl      user_pte
        mov     x2, #0
        cbz     x0, 2f
        ldr     x1, [x0]
        cbz     x1, 2f
        and     x1, x1, #DESC_ADDRESS
        lsr     x1, x1, #PAGE_SHIFT
        orr     x2, x1, #PAGEMAP_PRESENT
2:      str     x2, [sp]
        mov     x0, x19
        mov     x1, sp
        mov     x2, #8
        bl      copy_to_user
        cbnz    x0, 9f
        add     x19, x19, #8
        add     x22, x22, #PAGE_SIZE
        sub     x20, x20, #8
        b       1b
3:      mov     x0, x21
        b       9f
8:      mov     x0, #-EINVAL
9:      add     sp, sp, #16
        leave
