// What several files of the host kernel share: the layout of its address space, of its structures, and the shape of its
// functions. Names are Linux's wherever Linux has the thing.
//
// The kernel half of the address space (TTBR1_EL1) shows all physical memory, devices included, at PAGE_OFFSET: VA and
// PA differ in the top 25 bits only. The user half (TTBR0_EL1) is the process's. Both are 39 bits wide.

        .equ    PAGE_MASK, PAGE_SIZE - 1
        .equ    PAGE_OFFSET, 0xffffff8000000000
        .equ    PHYS_MASK, 0x0000007fffffffff
        .equ    TASK_SIZE, 0x8000000000         // first address that is no user address
        .equ    MMAP_BASE, 0x1000000000         // where mmap begins to look for room
        .equ    STACK_TOP, TASK_SIZE - 0x10000
        .equ    STACK_SIZE, 0x100000
        .equ    THREAD_SIZE, 0x4000             // the kernel's stack

// Registers as an exception found them; struct pt_regs of the process lies at the top of the kernel's stack.
        struct  pt_regs
        member  pt_regs.regs, 31 * 8            // x0-x30
        member  pt_regs.sp
        member  pt_regs.pc
        member  pt_regs.pstate
        member  pt_regs.syscallno               // -1 when it was no system call
        member  pt_regs.stackframe, 24          // {0, 0, type}: the frame record that ends a call chain here
        endstruct pt_regs
        .equ    pt_regs.x30, 30 * 8

        .equ    FRAME_META_FINAL, 1             // nothing below: the exception came from EL0
        .equ    FRAME_META_PT_REGS, 2           // the chain goes on in these saved registers

// A process. The one whose turn it is, is init_task (processes.s).
        struct  task_struct
        member  task_struct.pid, 4
        member  task_struct.spare, 4
        member  task_struct.comm, 16
        member  task_struct.pending             // signals that wait for delivery, bit n-1 for signal n
        member  task_struct.blocked
        member  task_struct.fault_code          // si_code and si_addr of the signal that a fault raised
        member  task_struct.fault_address
        member  task_struct.locked_vm           // pages charged to RLIMIT_MEMLOCK
        member  task_struct.memlock_limit, 16   // bytes: current and maximum
        member  task_struct.cap_ipc_lock        // 1: locked memory is not limited
        member  task_struct.timer_at            // ITIMER_REAL in counter ticks: next expiry (0: off), and its interval
        member  task_struct.timer_interval
        member  task_struct.sleep_until         // counter value, 0: it does not sleep
        member  task_struct.saved_sp            // while another process is in place
        endstruct task_struct

// A range of user addresses.
        struct  vm_area_struct
        member  vm_area_struct.start            // start = end: the entry is free
        member  vm_area_struct.end
        member  vm_area_struct.prot             // PROT_READ, PROT_WRITE, PROT_EXEC
        member  vm_area_struct.source           // what its first bytes hold (kernel VA), and how many; zeroes follow
        member  vm_area_struct.source_bytes
        member  vm_area_struct.file             // the mapped struct file (a vCPU), or 0
        endstruct vm_area_struct
        .equ    MOST_VMAS, 256

// An open file.
        struct  file
        member  file.kind, 4                    // row of file_operations; 0: the entry is free
        member  file.count, 4                   // references: descriptors and mappings
        member  file.object                     // what it is about: a UART, a page of text, a struct kvm, ...
        member  file.size                       // bytes of text
        member  file.position
        member  file.flags                      // O_NONBLOCK and so on
        endstruct file
        .equ    MOST_FILES, 1024                // RLIMIT_NOFILE

        .equ    PROT_READ, 1
        .equ    PROT_WRITE, 2
        .equ    PROT_EXEC, 4

        .equ    EINTR, 4
        .equ    EIO, 5
        .equ    ENXIO, 6
        .equ    ENOEXEC, 8
        .equ    EBADF, 9
        .equ    EEXIST, 17
        .equ    ENODEV, 19
        .equ    EMFILE, 24
        .equ    ENOTTY, 25
        .equ    ENOSYS, 38

        .equ    SIGILL, 4
        .equ    SIGTRAP, 5
        .equ    SIGBUS, 7
        .equ    SIGKILL, 9
        .equ    SIGSEGV, 11
        .equ    SIGALRM, 14
        .equ    SEGV_MAPERR, 1
        .equ    SEGV_ACCERR, 2
        .equ    BUS_ADRALN, 1
        .equ    BUS_ADRERR, 2

// A function that calls others: `enter` makes its frame record and keeps x19-x24, `leave` returns. x0 and up hold
// arguments, x0 the result (a negative errno where something can fail).
        .macro  enter
        stp     x29, x30, [sp, #-64]!
        mov     x29, sp
        stp     x19, x20, [sp, #16]
        stp     x21, x22, [sp, #32]
        stp     x23, x24, [sp, #48]
        .endm

        .macro  leave
        ldp     x23, x24, [sp, #48]
        ldp     x21, x22, [sp, #32]
        ldp     x19, x20, [sp, #16]
        ldp     x29, x30, [sp], #64
        ret
        .endm

// Between physical addresses and the kernel's own.
        .macro  pa_of to, from
        and     \to, \from, #PHYS_MASK
        .endm

        .macro  va_of to, from
        orr     \to, \from, #PAGE_OFFSET
        .endm

// Print a text that the macro call spells out.
        .macro  print text
        .section .rodata
text\@: .asciz  "\text"
        .text
        adr     x0, text\@
        bl      printk
        .endm
