// The process's address space as it asked for it: areas, whose pages are made when they are touched.

        .equ    MAP_SHARED, 0x01
        .equ    MAP_FIXED, 0x10
        .equ    MAP_ANONYMOUS, 0x20

// find_vma: x0 = address; x0 = the area it lies in, or 0.
find_vma:
        adr     x1, areas
        adr     x2, areas_end
1:      ldp     x3, x4, [x1]
        cmp     x0, x3
        b.lo    2f
        cmp     x0, x4
        b.lo    3f
2:      add     x1, x1, #vm_area_struct.sizeof
        cmp     x1, x2
        b.lo    1b
        mov     x0, #0
        ret
3:      mov     x0, x1
        ret

// overlapping_vma: x0 = start, x1 = end; x0 = an area that has part of it, or 0.
overlapping_vma:
        adr     x2, areas
        adr     x3, areas_end
1:      ldp     x4, x5, [x2]
        cmp     x4, x5
        b.eq    2f
        cmp     x0, x5
        b.hs    2f
        cmp     x1, x4
        b.hi    3f
2:      add     x2, x2, #vm_area_struct.sizeof
        cmp     x2, x3
        b.lo    1b
        mov     x0, #0
        ret
3:      mov     x0, x2
        ret

// add_vma: x0 = start, x1 = end, x2 = prot, x3 = source, x4 = source bytes, x5 = file or 0; x0 = 0 or -ENOMEM.
add_vma:
        adr     x6, areas
        adr     x7, areas_end
1:      ldp     x8, x9, [x6]
        cmp     x8, x9
        b.eq    2f
        add     x6, x6, #vm_area_struct.sizeof
        cmp     x6, x7
        b.lo    1b
        mov     x0, #-ENOMEM
        ret
2:      stp     x0, x1, [x6]
        stp     x2, x3, [x6, #vm_area_struct.prot]
        stp     x4, x5, [x6, #vm_area_struct.source_bytes]
        cbz     x5, 3f
        ldr     w7, [x5, #file.count]
        add     w7, w7, #1
        str     w7, [x5, #file.count]
3:      mov     x0, #0
        ret

// populate_page: x0 = area, x1 = an address in it. Makes the page there; x0 = 0 or a negative errno.
// x19 = area, x20 = page's address, x21 = the page, x22 = how far into the area it is
populate_page:
        enter
        mov     x19, x0
        and     x20, x1, #~PAGE_MASK
        ldr     x22, [x19, #vm_area_struct.start]
        sub     x22, x20, x22
        ldr     x0, [x19, #vm_area_struct.file]
        cbz     x0, 1f
        cbnz    x22, 1f
        ldr     x0, [x0, #file.object]
        bl      vcpu_run_page                   // the first page of a vCPU's mapping: its struct kvm_run
        mov     x21, x0
        bl      get_page
        b       4f
1:      bl      alloc_page
        cbz     x0, 9f
        mov     x21, x0
        ldp     x1, x2, [x19, #vm_area_struct.source]
        subs    x2, x2, x22
        b.ls    4f
        add     x1, x1, x22
        mov     x3, #PAGE_SIZE
        cmp     x2, x3
        csel    x2, x2, x3, lo
        bl      copy_bytes
        dsb     ish
        ic      ialluis                         // it may be code
        dsb     ish
4:      mov     x0, x20
        mov     x1, x21
        ldr     x2, [x19, #vm_area_struct.prot]
        bl      map_user_page
        cbz     x0, 5f
        mov     x19, x0
        mov     x0, x21
        bl      put_page
        mov     x0, x19
5:      leave
9:      mov     x0, #-ENOMEM
        leave

// copy_bytes: x0 = to, x1 = from, x2 = bytes; kernel memory that does not overlap.
copy_bytes:
        subs    x2, x2, #16
        b.lo    2f
1:      ldp     x3, x4, [x1], #16
        stp     x3, x4, [x0], #16
        subs    x2, x2, #16
        b.hs    1b
2:      adds    x2, x2, #16
        b.eq    4f
3:      ldrb    w3, [x1], #1
        strb    w3, [x0], #1
        subs    x2, x2, #1
        b.ne    3b
4:      ret

// sys_mmap: x0 = address, x1 = bytes, x2 = prot, x3 = flags, x4 = descriptor, x5 = offset.
// Private and anonymous memory, or a vCPU's struct kvm_run.
sys_mmap:
        enter
        mov     x19, x0
        add     x20, x1, #PAGE_MASK
        and     x20, x20, #~PAGE_MASK
        mov     x21, x2
        mov     x22, x3
        mov     x23, #0
        cbz     x20, 8f
        tst     x5, #PAGE_MASK
        b.ne    8f
        lsr     x6, x20, #39
        cbnz    x6, 7f
        tbnz    x22, #5, 1f                     // MAP_ANONYMOUS
        mov     x0, x4
        bl      file_of
        cbz     x0, 6f
        mov     x23, x0
        ldr     w1, [x0, #file.kind]
        cmp     w1, #FILE_VCPU
        b.ne    5f
1:      tbz     x22, #4, 2f                     // MAP_FIXED
        tst     x19, #PAGE_MASK
        b.ne    8f
        mov     x0, x19
        mov     x1, x20
        bl      sys_munmap
        cbnz    x0, 9f
        b       4f
2:      mov     x19, #MMAP_BASE
3:      mov     x0, x19
        add     x1, x19, x20
        bl      overlapping_vma
        cbz     x0, 4f
        ldr     x19, [x0, #vm_area_struct.end]
        b       3b
4:      add     x1, x19, x20
        ldr     x2, =STACK_TOP - STACK_SIZE
        cmp     x1, x2
        b.hi    7f
        mov     x0, x19
        mov     x2, x21
        mov     x3, #0
        mov     x4, #0
        mov     x5, x23
        bl      add_vma
        cbnz    x0, 9f
        mov     x0, x19
9:      leave
5:      mov     x0, #-ENODEV
        leave
6:      mov     x0, #-EBADF
        leave
7:      mov     x0, #-ENOMEM
        leave
8:      mov     x0, #-EINVAL
        leave

// split_vma: x0 = an address. If it lies inside of an area, the area ends there and another begins; x0 = 0 or -ENOMEM.
split_vma:
        enter
        mov     x19, x0
        bl      find_vma
        cbz     x0, 9f
        mov     x21, x0
        ldp     x22, x1, [x21]
        mov     x0, #0
        cmp     x22, x19
        b.eq    9f
        mov     x0, x19
        ldr     x2, [x21, #vm_area_struct.prot]
        ldp     x3, x4, [x21, #vm_area_struct.source]
        sub     x6, x19, x22
        add     x3, x3, x6
        subs    x4, x4, x6
        csel    x4, xzr, x4, ls
        mov     x5, #0                          // what a file has is in the first page
        bl      add_vma
        cbnz    x0, 9f
        str     x19, [x21, #vm_area_struct.end]
9:      leave

// split_range: x0 = address, x1 = bytes. Afterwards no area is partly inside. x0 = 0, -EINVAL or -ENOMEM; x1 = the end.
split_range:
        enter
        tst     x0, #PAGE_MASK
        b.ne    8f
        add     x1, x1, #PAGE_MASK
        and     x1, x1, #~PAGE_MASK
        mov     x19, x0
        adds    x20, x0, x1
        b.cs    8f
        ldr     x2, =TASK_SIZE
        cmp     x20, x2
        b.hi    8f
        bl      split_vma
        cbnz    x0, 9f
        mov     x0, x20
        bl      split_vma
9:      mov     x1, x20
        leave
8:      mov     x0, #-EINVAL
        leave

// sys_munmap: x0 = address, x1 = bytes.
// x19 = start, x20 = end, x21 = file of an area, x22, x23 = area from and to
sys_munmap:
        enter
        mov     x19, x0
        cbz     x1, 8f
        bl      split_range
        cbnz    x0, 9f
        mov     x20, x1
1:      mov     x0, x19
        mov     x1, x20
        bl      overlapping_vma
        cbz     x0, 9f
        ldp     x22, x23, [x0]
        ldr     x21, [x0, #vm_area_struct.file]
        stp     xzr, xzr, [x0]
2:      mov     x0, x22
        bl      unmap_user_page
        add     x22, x22, #PAGE_SIZE
        cmp     x22, x23
        b.lo    2b
        cbz     x21, 1b
        mov     x0, x21
        bl      put_file
        b       1b
8:      mov     x0, #-EINVAL
9:      leave

// sys_mprotect: x0 = address, x1 = bytes, x2 = prot.
// x19 = address, x20 = end, x21 = prot, x22 = area, x23 = end of the area
sys_mprotect:
        enter
        mov     x19, x0
        mov     x21, x2
        bl      split_range
        cbnz    x0, 9f
        mov     x20, x1
1:      mov     x0, #0
        cmp     x19, x20
        b.hs    9f
        mov     x0, x19
        bl      find_vma
        cbz     x0, 7f
        ldr     x23, [x0, #vm_area_struct.end]
        str     x21, [x0, #vm_area_struct.prot]
        // Pages that are there get their new permissions.
2:      mov     x0, x19
        mov     x1, x21
        bl      protect_user_page
        add     x19, x19, #PAGE_SIZE
        cmp     x19, x23
        b.lo    2b
        b       1b
7:      mov     x0, #-ENOMEM
        leave
9:      leave
