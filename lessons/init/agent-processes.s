// Further processes: fork, end, and passing requests on to them. Each serves the same requests as the agent, over two
// pipes of its own.

        .equ    MOST_PROCESSES, 8               // numbered from 1
        .equ    PROCESS_PID, 0                  // 0: no such process
        .equ    PROCESS_DEAD, 4                 // it is gone, but nobody asked for its end yet
        .equ    PROCESS_STATUS, 8               // its wait status then
        .equ    PROCESS_SIZE, 16
        .equ    END_MICROSECONDS, 2000000       // an orderly end may take so long, then SIGKILL follows

        .bss
        .balign 8
processes:
        .skip   PROCESS_SIZE * (MOST_PROCESSES + 1)
request_pipe:                           // two descriptors: to read, to write
        .skip   8
answer_pipe:
        .skip   8
wait_status:
        .skip   8
        .text

        .macro  close_pair symbol
        place   x9, \symbol
        ldr     w0, [x9]
        syscall SYS_close
        place   x9, \symbol
        ldr     w0, [x9, #4]
        syscall SYS_close
        .endm

// Put one end of a pipe where it belongs.
        .macro  settle symbol, which, target
        place   x9, \symbol
        ldr     w0, [x9, #\which]
        mov     x1, \target
        ldr     w2, =O_CLOEXEC
        syscall SYS_dup3
        .endm

// x23 = number of the new process, x24 = its entry, x25 = its process id
operation_fork:
        stp     x29, x30, [sp, #-16]!
        load_variable x0, own_process
        cbz     x0, 1f
        mov     x0, #EPERM
        mov     x1, #0
        b       9f
1:      mov     x23, #1
        place   x24, processes
2:      add     x24, x24, #PROCESS_SIZE
        ldr     w0, [x24, #PROCESS_PID]
        cbz     w0, 3f
        add     x23, x23, #1
        cmp     x23, #MOST_PROCESSES
        b.ls    2b
        mov     x23, #-EAGAIN
        b       8f

3:      place   x0, request_pipe
        ldr     w1, =O_CLOEXEC
        syscall SYS_pipe2
        mov     x25, x0
        tbnz    x0, #63, 7f
        place   x0, answer_pipe
        ldr     w1, =O_CLOEXEC
        syscall SYS_pipe2
        mov     x25, x0
        tbnz    x0, #63, 6f
        mov     x0, #SIGCHLD
        mov     x1, #0
        mov     x2, #0
        mov     x3, #0
        mov     x4, #0
        syscall SYS_clone
        mov     x25, x0
        tbnz    x0, #63, 5f
        cbz     x0, forked
        lsl     x26, x23, #1
        add     x26, x26, #FD_PROCESSES
        settle  request_pipe, 4, x26
        add     x26, x26, #1
        settle  answer_pipe, 0, x26
        str     w25, [x24, #PROCESS_PID]
        str     wzr, [x24, #PROCESS_DEAD]
        close_pair answer_pipe
        close_pair request_pipe
        b       8f
5:      close_pair answer_pipe
6:      close_pair request_pipe
7:      mov     x23, x25
8:      str     x23, [x20, #RESULT]
        mov     x0, #0
        mov     x1, #8
9:      ldp     x29, x30, [sp], #16
        ret

// The new process, x23 = its number.
forked:
        place   x0, own_process
        str     x23, [x0]
        // Other processes' pipes must end when the agent closes them, not when this process does.
        mov     x24, #OWN_FDS
1:      mov     x0, x24
        syscall SYS_close
        add     x24, x24, #1
        cmp     x24, #OWN_FDS_END
        b.lo    1b
        mov     x24, #FD_IN
        settle  request_pipe, 0, x24
        place   x1, link_in
        str     x24, [x1]
        mov     x24, #FD_OUT
        settle  answer_pipe, 4, x24
        place   x1, link_out
        str     x24, [x1]
        close_pair answer_pipe
        close_pair request_pipe
        place   x0, agent_stack_end
        mov     sp, x0
        b       serve

// relay: the request is for another process. x23 = its number, x24 = its entry, x25 = its descriptor for requests
relay:
        stp     x29, x30, [sp, #-16]!
        load_variable x0, own_process
        cbnz    x0, 7f
        ldrh    w23, [x19, #FRAME_PROCESS]
        cmp     x23, #MOST_PROCESSES
        b.hi    7f
        place   x24, processes
        add     x24, x24, x23, lsl #4           // PROCESS_SIZE
        ldr     w0, [x24, #PROCESS_PID]
        cbz     w0, 7f
        lsl     x25, x23, #1
        add     x25, x25, #FD_PROCESSES
        ldrh    w0, [x19, #FRAME_OPERATION]
        cmp     w0, #OPERATION_END
        b.eq    6f
        ldr     w0, [x24, #PROCESS_DEAD]
        cbnz    w0, 5f

        mov     x0, x25
        mov     x1, x19
        mov     x2, x22
        bl      write_all
        cmp     x0, #0
        b.le    4f
        mov     x26, #0                         // bytes of the answer so far
        mov     x27, #FRAME_PAYLOAD             // bytes that it has at least
1:      cmp     x26, x27
        b.hs    2f
        add     x0, x25, #1
        add     x1, x20, x26
        sub     x2, x27, x26
        syscall SYS_read
        cmn     x0, #EINTR
        b.eq    1b
        cmp     x0, #0
        b.le    4f
        add     x26, x26, x0
        b       1b
2:      ldr     w28, [x20, #FRAME_LENGTH]
        mov     w9, #MOST_ANSWER
        cmp     w28, w9
        b.hi    4f
        cmp     x28, x27
        mov     x27, x28
        b.hi    1b
        ldr     w0, [x20, #FRAME_STATUS]
        sub     x1, x27, #FRAME_PAYLOAD
        b       9f

        // No answer: it has died.
4:      bl      reap
5:      mov     x0, #ECHILD
        mov     x1, #0
        b       9f

6:      ldr     w0, [x24, #PROCESS_DEAD]
        cbnz    w0, 8f
        bl      reap
8:      ldr     w0, [x24, #PROCESS_STATUS]
        str     x0, [x20, #RESULT]
        stp     wzr, wzr, [x24, #PROCESS_PID]
        mov     x0, #0
        mov     x1, #8
        b       9f

7:      mov     x0, #ESRCH
        mov     x1, #0
9:      ldp     x29, x30, [sp], #16
        ret

// reap: close the pipes of the process at x24, which ends it, and wait; SIGKILL when it does not end.
reap:
        stp     x29, x30, [sp, #-16]!
        mov     x0, x25
        syscall SYS_close
        add     x0, x25, #1
        syscall SYS_close
        ldr     w0, =END_MICROSECONDS
        bl      arm_limit
        bl      wait_process
        mov     x26, x0
        bl      disarm_limit
        cmn     x26, #EINTR
        b.ne    1f
        ldr     w0, [x24, #PROCESS_PID]
        mov     x1, #SIGKILL
        syscall SYS_kill
2:      bl      wait_process
        cmn     x0, #EINTR
        b.eq    2b
1:      load_variable x0, wait_status
        str     w0, [x24, #PROCESS_STATUS]
        mov     w0, #1
        str     w0, [x24, #PROCESS_DEAD]
        ldp     x29, x30, [sp], #16
        ret

wait_process:
        ldr     w0, [x24, #PROCESS_PID]
        place   x1, wait_status
        mov     x2, #0
        mov     x3, #0
        syscall SYS_wait4
        ret
