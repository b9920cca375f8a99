// The process: /init of the initrd, a static AArch64 ELF executable.

        .equ    ELF_ENTRY, 24
        .equ    ELF_PHOFF, 32
        .equ    ELF_PHENTSIZE, 54
        .equ    ELF_PHNUM, 56
        .equ    PHDR_TYPE, 0
        .equ    PHDR_FLAGS, 4
        .equ    PHDR_OFFSET, 8
        .equ    PHDR_VADDR, 16
        .equ    PHDR_FILESZ, 32
        .equ    PHDR_MEMSZ, 40
        .equ    PT_LOAD, 1

        .bss
        .balign 8
elf_image:      .skip 8
        .text

// kernel_execve: make the areas of /init and the registers with which it starts. Pages come when they are touched.
// x19 = program header, x20 = how many are left, x21 = the file
kernel_execve:
        enter
        adr     x0, init_name
        bl      find_in_initrd
        cbz     x0, 8f
        adr     x2, elf_image
        str     x0, [x2]
        mov     x21, x0
        cmp     x1, #64
        b.lo    8f
        ldr     w1, [x21]
        ldr     w2, =0x464c457f
        cmp     w1, w2
        b.ne    8f
        ldr     x19, [x21, #ELF_PHOFF]
        add     x19, x19, x21
        ldrh    w20, [x21, #ELF_PHNUM]
1:      cbz     w20, 2f
        mov     x0, x19
        bl      load_segment
        ldrh    w1, [x21, #ELF_PHENTSIZE]
        add     x19, x19, x1
        sub     w20, w20, #1
        b       1b
2:      ldr     x0, =STACK_TOP - STACK_SIZE
        ldr     x1, =STACK_TOP
        mov     x2, #PROT_READ | PROT_WRITE
        mov     x3, #0
        mov     x4, #0
        mov     x5, #0
        bl      add_vma
        adr     x0, user_pg_dir
        pa_of   x0, x0
        mov     x1, #1 << 48                    // ASID 1
        orr     x0, x0, x1
        msr     ttbr0_el1, x0
        isb
        // An empty stack: no arguments, no environment, no auxiliary vector.
        user_regs x1
        ldr     x0, =STACK_TOP - 64
        ldr     x2, [x21, #ELF_ENTRY]
        stp     x0, x2, [x1, #pt_regs.sp]
        str     xzr, [x1, #pt_regs.pstate]      // EL0, interrupts on
        bl      open_console
        leave
8:      adr     x0, no_init
        b       panic

// load_segment: x0 = program header. The area begins with the page of the first byte; what comes before that byte in
// the page is what comes before it in the file.
load_segment:
        enter
        ldr     w1, [x0, #PHDR_TYPE]
        cmp     w1, #PT_LOAD
        b.ne    9f
        ldr     x2, [x0, #PHDR_VADDR]
        and     x3, x2, #PAGE_MASK              // how far into its first page
        ldr     x1, [x0, #PHDR_MEMSZ]
        ldr     x4, [x0, #PHDR_FILESZ]
        ldr     x5, [x0, #PHDR_OFFSET]
        ldr     w6, [x0, #PHDR_FLAGS]
        sub     x0, x2, x3
        add     x1, x1, x2
        add     x1, x1, #PAGE_MASK
        and     x1, x1, #~PAGE_MASK
        add     x4, x4, x3
        ldr     x7, elf_image
        add     x5, x5, x7
        sub     x3, x5, x3
        // PF_X, PF_W, PF_R are the bits of PROT_READ, PROT_WRITE, PROT_EXEC in the other order.
        rbit    w2, w6
        lsr     w2, w2, #29
        mov     x5, #0
        bl      add_vma
9:      leave

        .section .rodata
init_name:      .asciz "init"
no_init:        .asciz "No working init found. Give an initrd that has /init."
        .text
