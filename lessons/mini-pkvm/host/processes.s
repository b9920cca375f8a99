// More processes than one. Everything that belongs to a process, its kernel stack included, lies together in
// process_state, where the kernel's code expects it. One process is there; the others' states are kept elsewhere, and
// are swapped in when it is their turn: so nothing else in this kernel needs to know that there are several.

        .equ    MOST_PROCESSES, 16
        .equ    PROCESS_ORDER, 4                // pages for a state that is not in place
        .equ    SIGCHLD, 17
        .equ    ECHILD, 10
        .equ    ESRCH, 3
        .equ    WNOHANG, 1

        struct  process
        member  process.image                   // VA of its state when it is not in place
        member  process.pid
        member  process.state                   // PROCESS_
        member  process.status                  // for wait4
        endstruct process
        .equ    PROCESS_NONE, 0
        .equ    PROCESS_ALIVE, 1
        .equ    PROCESS_ZOMBIE, 2

        .bss
        .balign 4096
process_state:
user_pg_dir:
        .skip   4096
init_task:
        .skip   task_struct.sizeof
        .balign 16
descriptors:                                    // struct file or 0
        .skip   8 * MOST_FILES
sigactions:
        .skip   32 * 65
areas:  .skip   vm_area_struct.sizeof * MOST_VMAS
areas_end:
        .balign 16
init_stack:
        .skip   THREAD_SIZE
init_stack_top:
process_state_end:

processes:
        .skip   process.sizeof * MOST_PROCESSES
current:        .skip 8                         // which of them is in place
alive:          .skip 8                         // how many are PROCESS_ALIVE
waiting:        .skip 8                         // how many in a row had nothing to do
last_pid:       .skip 8
        .text

// task_init: the first process.
task_init:
        adr     x0, init_task
        adr     x1, __entry_task
        str     x0, [x1]
        mov     w1, #1
        str     w1, [x0, #task_struct.pid]
        ldr     w2, =0x74696e69                 // "init"
        str     w2, [x0, #task_struct.comm]
        mov     x2, #0x800000                   // 8 MiB, Linux's default of RLIMIT_MEMLOCK
        stp     x2, x2, [x0, #task_struct.memlock_limit]
        str     x1, [x0, #task_struct.cap_ipc_lock]     // the first process may do everything
        adr     x0, processes
        stp     x1, x1, [x0, #process.pid]      // and PROCESS_ALIVE
        adr     x0, alive
        str     x1, [x0]
        adr     x0, last_pid
        str     x1, [x0]
        ret

// schedule: the next process that is alive gets its turn. Returns when it is this one's again.
schedule:
        enter
        ldr     x1, alive
        cmp     x1, #1
        b.ls    9f
        ldr     x19, kvm_running_vcpu
        cbz     x19, 1f
        bl      kvm_arch_vcpu_put
1:      bl      next_process
        bl      switch_to
        bl      timer_interrupt                 // its time may have come meanwhile
        cbz     x19, 9f
        mov     x0, x19
        bl      kvm_arch_vcpu_load
9:      leave

// next_process: x0 = the next one that is alive, after the present one.
next_process:
        ldr     x0, current
        adr     x1, processes
1:      add     x0, x0, #1
        and     x0, x0, #MOST_PROCESSES - 1
        add     x2, x1, x0, lsl #5
        ldr     x3, [x2, #process.state]
        cmp     x3, #PROCESS_ALIVE
        b.ne    1b
        ret

// switch_to: x0 = which process.
switch_to:
        stp     x29, x30, [sp, #-96]!
        stp     x19, x20, [sp, #16]
        stp     x21, x22, [sp, #32]
        stp     x23, x24, [sp, #48]
        stp     x25, x26, [sp, #64]
        stp     x27, x28, [sp, #80]
        mov     x1, sp
        adr     x2, init_task
        str     x1, [x2, #task_struct.saved_sp]
        adr     x8, processes
        ldr     x1, current
        add     x1, x8, x1, lsl #5
        ldr     x3, [x1, #process.image]
        adr     x4, process_state
        adr     x5, process_state_end
1:      ldp     x6, x7, [x4], #16
        stp     x6, x7, [x3], #16
        cmp     x4, x5
        b.lo    1b
// Without keeping what is in place. From here on no stack is used until it is the other one.
switch_in:
        adr     x8, processes
        adr     x1, current
        str     x0, [x1]
        add     x1, x8, x0, lsl #5
        ldr     x3, [x1, #process.image]
        adr     x4, process_state
        adr     x5, process_state_end
1:      ldp     x6, x7, [x3], #16
        stp     x6, x7, [x4], #16
        cmp     x4, x5
        b.lo    1b
        dsb     ish
        tlbi    vmalle1is
        dsb     ish
        isb
        adr     x2, init_task
        ldr     x1, [x2, #task_struct.saved_sp]
        mov     sp, x1
        ldp     x27, x28, [sp, #80]
        ldp     x25, x26, [sp, #64]
        ldp     x23, x24, [sp, #48]
        ldp     x21, x22, [sp, #32]
        ldp     x19, x20, [sp, #16]
        ldp     x29, x30, [sp], #96
        ret

// sys_clone: fork and nothing else: x0 = SIGCHLD, x1 = 0. x0 = the child's pid, 0 in the child, or a negative errno.
// x19 = struct process, x20 = the child's state, x21 = distance to it from process_state
sys_clone:
        enter
        cmp     x0, #SIGCHLD
        b.ne    8f
        cbnz    x1, 8f
        // The first fork: a place for this one too.
        ldr     x1, current
        adr     x19, processes
        add     x19, x19, x1, lsl #5
        ldr     x1, [x19, #process.image]
        cbnz    x1, 1f
        mov     x0, #PROCESS_ORDER
        bl      alloc_pages
        cbz     x0, 7f
        str     x0, [x19, #process.image]
1:      adr     x19, processes
        mov     x1, #MOST_PROCESSES
2:      ldr     x2, [x19, #process.state]
        cbz     x2, 3f
        add     x19, x19, #process.sizeof
        subs    x1, x1, #1
        b.ne    2b
        mov     x0, #-EAGAIN
        leave
3:      ldr     x0, [x19, #process.image]
        cbnz    x0, 4f
        mov     x0, #PROCESS_ORDER
        bl      alloc_pages
        cbz     x0, 7f
        str     x0, [x19, #process.image]
4:      mov     x20, x0
        adr     x1, process_state
        adr     x2, process_state_end
        sub     x2, x2, x1
        bl      copy_bytes
        adr     x1, process_state
        sub     x21, x20, x1
        // Its own memory.
        mov     x0, x20
        mov     x1, #PAGE_SIZE
        bl      clear_bytes
        adr     x0, user_pg_dir
        mov     x1, x20
        mov     x2, #1
        bl      copy_table
        tbnz    x0, #63, 6f
        bl      share_files
        adr     x1, last_pid
        ldr     x0, [x1]
        add     x0, x0, #1
        str     x0, [x1]
        mov     x2, #PROCESS_ALIVE
        stp     x0, x2, [x19, #process.pid]
        adr     x1, init_task
        add     x1, x1, x21
        str     w0, [x1, #task_struct.pid]
        stp     xzr, xzr, [x1, #task_struct.timer_at]
        str     xzr, [x1, #task_struct.pending]
        str     xzr, [x1, #task_struct.locked_vm]
        // It begins where this call returns to the process, with 0.
        user_regs x2
        sub     x3, x2, #96
        str     x3, [x1, #task_struct.saved_sp]
        add     x2, x2, x21
        add     x3, x3, x21
        str     xzr, [x2]
        adr     x4, ret_to_user
        stp     xzr, x4, [x3]
        adr     x1, alive
        ldr     x2, [x1]
        add     x2, x2, #1
        str     x2, [x1]
        leave
6:      mov     x0, x20                         // what it has of tables and pages already
        mov     x1, #1
        bl      free_table
7:      mov     x0, #-ENOMEM
        leave
8:      mov     x0, #-ENOSYS
        leave

// clear_bytes: x0 = start, x1 = bytes, a multiple of 16.
clear_bytes:
        stp     xzr, xzr, [x0], #16
        subs    x1, x1, #16
        b.ne    clear_bytes
        ret

// share_files: every open file has one user more.
share_files:
        enter
        adr     x19, descriptors
        mov     x20, #MOST_FILES
1:      ldr     x0, [x19], #8
        cbz     x0, 2f
        bl      get_file
2:      subs    x20, x20, #1
        b.ne    1b
        adr     x19, areas
        adr     x20, areas_end
3:      ldr     x0, [x19, #vm_area_struct.file]
        ldp     x1, x2, [x19], #vm_area_struct.sizeof
        cmp     x1, x2
        b.eq    4f
        cbz     x0, 4f
        bl      get_file
4:      cmp     x19, x20
        b.lo    3b
        leave

// copy_table: x0 = table, x1 = empty table, x2 = level. The same mappings of copies of the pages; a page that KVM, too,
// has a hold on is not copied but used by both. x0 = 0 or -ENOMEM.
// x19 = table, x20 = copy, x21 = level, x22 = entries left, x23 = entry, x24 = what it points to
copy_table:
        enter
        mov     x19, x0
        mov     x20, x1
        mov     x21, x2
        mov     x22, #512
1:      ldr     x23, [x19], #8
        cbz     x23, 4f
        and     x24, x23, #DESC_ADDRESS
        va_of   x24, x24
        cmp     x21, #3
        b.ne    2f
        page_count x1, x24, x2
        ldrh    w2, [x1]
        cmp     w2, #1
        b.ne    3f
2:      bl      alloc_page
        cbz     x0, 8f
        pa_of   x1, x0
        and     x2, x23, #~DESC_ADDRESS
        orr     x1, x1, x2
        str     x1, [x20]
        mov     x1, x0
        mov     x0, x24
        cmp     x21, #3
        b.eq    5f
        add     x2, x21, #1
        bl      copy_table
        tbnz    x0, #63, 9f
        b       4f
5:      mov     x0, x1
        mov     x1, x24
        mov     x2, #PAGE_SIZE
        bl      copy_bytes
        b       4f
3:      str     x23, [x20]
        mov     x0, x24
        bl      get_page
4:      add     x20, x20, #8
        subs    x22, x22, #1
        b.ne    1b
        mov     x0, #0
9:      leave
8:      mov     x0, #-ENOMEM
        leave

// free_table: x0 = table, x1 = level: its pages and the tables below, not itself.
free_table:
        enter
        mov     x19, x0
        mov     x21, x1
        mov     x22, #512
1:      ldr     x23, [x19]
        str     xzr, [x19], #8
        cbz     x23, 3f
        and     x24, x23, #DESC_ADDRESS
        va_of   x24, x24
        cmp     x21, #3
        b.eq    2f
        mov     x0, x24
        add     x1, x21, #1
        bl      free_table
2:      mov     x0, x24
        bl      put_page
3:      subs    x22, x22, #1
        b.ne    1b
        leave

// do_exit: x0 = status as wait4 tells it. The present process ends.
do_exit:
        enter
        mov     x19, x0
        ldr     x20, current
        cbz     x20, init_exits
        mov     x21, #0
1:      mov     x0, x21
        bl      sys_close
        add     x21, x21, #1
        cmp     x21, #MOST_FILES
        b.lo    1b
        adr     x0, user_pg_dir
        mov     x1, #1
        bl      free_table
        dsb     ish
        tlbi    vmalle1is
        dsb     ish
        adr     x21, areas
        adr     x22, areas_end
2:      ldr     x0, [x21, #vm_area_struct.file]
        ldp     x1, x2, [x21]
        stp     xzr, xzr, [x21], #vm_area_struct.sizeof
        cmp     x1, x2
        b.eq    3f
        cbz     x0, 3f
        bl      put_file
3:      cmp     x21, x22
        b.lo    2b
        adr     x1, processes
        add     x1, x1, x20, lsl #5
        mov     x2, #PROCESS_ZOMBIE
        stp     x2, x19, [x1, #process.state]
        adr     x1, alive
        ldr     x2, [x1]
        sub     x2, x2, #1
        str     x2, [x1]
        adr     x1, waiting
        str     xzr, [x1]
        bl      next_process
        b       switch_in

init_exits:
        adr     x0, init_died
        b       panic

// sys_exit: x0 = code.
sys_exit:
        and     x0, x0, #0xff
        lsl     x0, x0, #8
        b       do_exit

// sys_wait4: x0 = pid or -1, x1 = where the status goes, or 0, x2 = options. All children are the first process's.
sys_wait4:
        enter
        sub     sp, sp, #16
        mov     x19, x0
        mov     x20, x1
        mov     x21, x2
1:      adr     x1, processes + process.sizeof
        mov     x2, #MOST_PROCESSES - 1
        mov     x22, #0                         // is there one to wait for?
        ldr     x3, current
        cbnz    x3, 4f
2:      ldp     x3, x4, [x1, #process.pid]
        cbz     x4, 3f
        cmp     x19, #0
        b.lt    5f
        cmp     x19, x3
        b.ne    3f
5:      mov     x22, #1
        cmp     x4, #PROCESS_ZOMBIE
        b.eq    6f
3:      add     x1, x1, #process.sizeof
        subs    x2, x2, #1
        b.ne    2b
4:      mov     x0, #-ECHILD
        cbz     x22, 9f
        mov     x0, #0
        tbnz    x21, #0, 9f                     // WNOHANG
        bl      signal_pending
        cbnz    x0, 8f
        bl      wait_for_interrupt
        b       1b
6:      mov     x19, x3
        str     xzr, [x1, #process.state]
        ldr     x2, [x1, #process.status]
        str     x2, [sp]
        mov     x0, x19
        cbz     x20, 9f
        mov     x0, x20
        mov     x1, sp
        mov     x2, #4
        bl      copy_to_user
        cbnz    x0, 9f
        mov     x0, x19
        b       9f
8:      mov     x0, #-EINTR
9:      add     sp, sp, #16
        leave

// find_task: x0 = pid, 0 for the present process; x0 = its task_struct, wherever that is, or 0.
find_task:
        adr     x1, processes
        mov     x2, #0
1:      ldp     x3, x4, [x1, #process.pid]
        cmp     x4, #PROCESS_ALIVE
        b.ne    2f
        ldr     x5, current
        cmp     x5, x2
        b.ne    3f
        cbz     x0, 4f
        cmp     x3, x0
        b.ne    2f
4:      adr     x0, init_task
        ret
3:      cmp     x3, x0
        b.ne    2f
        ldr     x0, [x1, #process.image]
        add     x0, x0, #init_task - process_state
        ret
2:      add     x1, x1, #process.sizeof
        add     x2, x2, #1
        cmp     x2, #MOST_PROCESSES
        b.lo    1b
        mov     x0, #0
        ret

// sys_kill: x0 = process, x1 = signal; 0 only asks.
sys_kill:
        enter
        mov     x19, x1
        tbnz    w0, #31, 8f
        bl      find_task
        cbz     x0, 8f
        cbz     x19, 1f
        sub     x1, x19, #1
        cmp     x1, #NSIG
        b.hs    9f
        mov     x2, #1
        lsl     x2, x2, x1
        ldr     x4, [x0, #task_struct.pending]
        orr     x4, x4, x2
        str     x4, [x0, #task_struct.pending]
1:      mov     x0, #0
        leave
8:      mov     x0, #-ESRCH
        leave
9:      mov     x0, #-EINVAL
        leave
