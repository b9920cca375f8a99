// lab.init=agent: serves requests that come over the second serial port. Frames are described in engine/agent/wire.ts,
// the system calls used here in README.md. The agent knows nothing of KVM: scripts do all that with system calls.
//
// While serving, in every function of the agent: x19 = request_bytes, x20 = answer_bytes, x21 = bytes received so far,
// x22 = length of the frame being served. Operations may use x23-x28.

        .equ    AGENT_VERSION, 1
        .equ    MOST_REQUEST, 16384             // MOST_REQUEST_BYTES of wire.ts
        .equ    MOST_ANSWER, 16384              // MOST_ANSWER_BYTES
        .equ    MOST_LENGTH, 0x100000           // no header says more, so that one is garbage
        .equ    SCRATCH_BYTES, 0x40000
        .equ    AGENT_STACK_BYTES, 0x8000
        .equ    QUIET_MICROSECONDS, 20000

        // A frame's header.
        .equ    FRAME_LENGTH, 0
        .equ    FRAME_OPERATION, 4
        .equ    FRAME_PROCESS, 6
        .equ    FRAME_SEQUENCE, 8
        .equ    FRAME_STATUS, 12
        .equ    FRAME_PAYLOAD, 16
        .equ    ANSWER_BIT, 0x8000

        .equ    OPERATION_HELLO, 1
        .equ    OPERATION_SYSCALL, 2
        .equ    OPERATION_PEEK, 3
        .equ    OPERATION_POKE, 4
        .equ    OPERATION_FORK, 5
        .equ    OPERATION_END, 6

        // Descriptors of the agent's own, out of the way of those that scripts open.
        .equ    OWN_FDS, 200
        .equ    FD_IN, 200                      // the serial port; in a forked process the pipe its requests come from
        .equ    FD_OUT, 201                     // in a forked process the pipe its answers go to
        .equ    FD_PROCESSES, 200               // + 2n: requests of process n go here; + 2n + 1: its answers come from here
        .equ    OWN_FDS_END, 220

        .section .rodata
agent_word:     .asciz "lab.init=agent"
agent_tty:      .asciz "/dev/ttyAMA1"
        .balign 8
// struct termios: c_iflag, c_oflag, c_cflag (115200, 8 bits, CREAD, CLOCAL), c_lflag, c_line, c_cc with VTIME (5) 0 and
// VMIN (6) 1
raw_terminal:
        .word   0, 0, 0x18b2, 0
        .byte   0
        .byte   0, 0, 0, 0, 0, 0, 1
        .skip   12

        .data
        .balign 8
agent_fault_action:
        .quad   agent_fault_handler, SA_SIGINFO | SA_RESTORER, fault_restorer, 0
agent_alarm_action:
        .quad   agent_alarm_handler, SA_RESTORER, fault_restorer, 0
ignore_action:
        .quad   SIG_IGN, SA_RESTORER, fault_restorer, 0

        .bss
        .balign 16
agent_stack:
        .skip   AGENT_STACK_BYTES
agent_stack_end:
request_bytes:
        .skip   MOST_REQUEST
answer_bytes:
        .skip   MOST_ANSWER
scratch_address:
        .skip   8
link_in:                                // descriptor that requests come from
        .skip   8
link_out:
        .skip   8
own_process:                            // 0: the agent itself
        .skip   8
        .text

// Address of anything in the program, however far away.
        .macro  place register, symbol
        adrp    \register, \symbol
        add     \register, \register, :lo12:\symbol
        .endm

        .macro  load_variable register, symbol
        adrp    \register, \symbol
        ldr     \register, [\register, :lo12:\symbol]
        .endm

        .macro  signal_action signal, action
        mov     x0, #\signal
        place   x1, \action
        mov     x2, #0
        mov     x3, #8                  // size of the signal mask in bytes
        syscall SYS_rt_sigaction
        .endm

// Does not return.
run_agent:
        // A stack inside the program's own image, which requests may not unmap.
        place   x0, agent_stack_end
        mov     sp, x0
        signal_action SIGSEGV, agent_fault_action
        signal_action SIGBUS, agent_fault_action
        signal_action SIGALRM, agent_alarm_action
        signal_action SIGPIPE, ignore_action

        place   x0, agent_tty
        ldr     w1, =O_RDWR | O_NOCTTY | O_CLOEXEC
        bl      open_file
        tbnz    x0, #63, agent_failed
        mov     x23, x0
        mov     x1, #TCSETS
        place   x2, raw_terminal
        syscall SYS_ioctl
        mov     x0, x23
        mov     x1, #FD_IN
        bl      move_descriptor
        place   x1, link_in
        str     x0, [x1]
        place   x1, link_out
        str     x0, [x1]

        mov     x0, #0
        ldr     x1, =SCRATCH_BYTES
        mov     x2, #PROT_READ | PROT_WRITE
        mov     x3, #MAP_PRIVATE | MAP_ANONYMOUS
        mov     x4, #-1
        mov     x5, #0
        syscall SYS_mmap
        cmn     x0, #4095
        b.hs    agent_failed
        place   x1, scratch_address
        str     x0, [x1]

        begin   "agent=ready"
        bl      end_line
        place   x19, request_bytes
        place   x20, answer_bytes
        // The answer to a hello that nobody asked for.
        mov     w0, #OPERATION_HELLO
        strh    w0, [x19, #FRAME_OPERATION]
        bl      operation_hello
        bl      answer
        b       serve

// x0 = -errno: why there is no agent.
agent_failed:
        mov     x23, x0
        begin   "agent="
        mov     x0, x23
        bl      put_result
        bl      end_line
        b       power_off

// move_descriptor: x0 = descriptor, x1 = where it should be instead. Gives where it is: a kernel may lack dup3.
move_descriptor:
        mov     x9, x0
        ldr     w2, =O_CLOEXEC
        syscall SYS_dup3
        tbnz    x0, #63, 1f
        mov     x10, x0
        mov     x0, x9
        syscall SYS_close
        mov     x9, x10
1:      mov     x0, x9
        ret

// The loop that serves. A forked process enters here too.
serve:
        mov     x21, #0
1:      cmp     x21, #FRAME_PAYLOAD
        b.lo    2f
        ldr     w22, [x19, #FRAME_LENGTH]
        cmp     w22, #FRAME_PAYLOAD
        b.lo    serve_garbage
        ldr     w0, =MOST_LENGTH
        cmp     w22, w0
        b.hi    serve_garbage
        cmp     w22, #MOST_REQUEST / 4096, lsl #12
        b.hi    serve_oversized
        cmp     x21, x22
        b.hs    3f
2:      add     x1, x19, x21
        mov     x2, #MOST_REQUEST
        sub     x2, x2, x21
        bl      link_read
        add     x21, x21, x0
        b       1b
3:      bl      dispatch
        bl      answer
        // What came after the frame is the start of the next one.
        sub     x21, x21, x22
        mov     x0, x19
        add     x1, x19, x22
        mov     x2, x21
        bl      copy_by_1
        b       1b

// Too long for the buffer: let it pass, keep its header.
serve_oversized:
1:      subs    x2, x22, x21
        b.ls    2f
        mov     x0, #MOST_REQUEST - FRAME_PAYLOAD
        cmp     x2, x0
        csel    x2, x2, x0, lo
        add     x1, x19, #FRAME_PAYLOAD
        bl      link_read
        add     x21, x21, x0
        b       1b
2:      mov     x0, #EMSGSIZE
        mov     x1, #0
        bl      answer
        b       serve

// Not a header. Nobody knows where the next frame starts: wait until the line has been quiet for a while.
serve_garbage:
1:      mov     x0, #QUIET_MICROSECONDS
        bl      arm_limit
        load_variable x0, link_in
        add     x1, x19, #FRAME_PAYLOAD
        mov     x2, #MOST_REQUEST - FRAME_PAYLOAD
        syscall SYS_read
        mov     x23, x0
        bl      disarm_limit
        cmn     x23, #EINTR
        b.eq    2f
        cmp     x23, #0
        b.gt    1b
        b       link_gone
2:      mov     x0, #EINVAL
        mov     x1, #0
        bl      answer
        b       serve

// link_read: x1 = where to, x2 = most bytes. Gives how many came, one or more.
link_read:
        mov     x9, x1
        mov     x10, x2
1:      load_variable x0, link_in
        mov     x1, x9
        mov     x2, x10
        syscall SYS_read
        cmn     x0, #EINTR
        b.eq    1b
        cmn     x0, #EAGAIN
        b.eq    1b
        cmp     x0, #0
        b.le    link_gone
        ret

// Nobody asks any more. A forked process ends, the agent itself powers the machine off.
link_gone:
        mov     x23, x0
        load_variable x1, own_process
        cbz     x1, 1f
        mov     x0, #0
        syscall SYS_exit
1:      mov     x0, x23
        cbnz    x0, agent_failed
        mov     x0, #-EIO
        b       agent_failed

// answer: x0 = status, x1 = bytes of payload at answer_bytes + FRAME_PAYLOAD. Goes out with the request's numbers.
answer:
        add     x2, x1, #FRAME_PAYLOAD
        str     w2, [x20, #FRAME_LENGTH]
        str     w0, [x20, #FRAME_STATUS]
        ldrh    w0, [x19, #FRAME_OPERATION]
        orr     w0, w0, #ANSWER_BIT
        strh    w0, [x20, #FRAME_OPERATION]
        ldrh    w0, [x19, #FRAME_PROCESS]
        strh    w0, [x20, #FRAME_PROCESS]
        ldr     w0, [x19, #FRAME_SEQUENCE]
        str     w0, [x20, #FRAME_SEQUENCE]
        load_variable x0, link_out
        mov     x1, x20
        stp     x29, x30, [sp, #-16]!
        bl      write_all
        ldp     x29, x30, [sp], #16
        cmp     x0, #0
        b.le    link_gone
        ret

// write_all: x0 = descriptor, x1 = bytes, x2 = how many. Gives 1, or what write(2) gave when it failed.
write_all:
        mov     x9, x0
        mov     x10, x1
        add     x11, x1, x2
1:      subs    x2, x11, x10
        b.ls    3f
        mov     x0, x9
        mov     x1, x10
        syscall SYS_write
        cmn     x0, #EINTR
        b.eq    1b
        cmn     x0, #EAGAIN
        b.eq    1b
        cmp     x0, #0
        b.le    2f
        add     x10, x10, x0
        b       1b
3:      mov     x0, #1
2:      ret

// dispatch: serve the request. x0 = status, x1 = bytes of payload in the answer.
dispatch:
        load_variable x0, own_process
        ldrh    w1, [x19, #FRAME_PROCESS]
        cmp     w0, w1
        b.ne    relay
        ldrh    w0, [x19, #FRAME_OPERATION]
        cmp     w0, #OPERATION_SYSCALL
        b.eq    operation_syscall
        cmp     w0, #OPERATION_PEEK
        b.eq    operation_peek
        cmp     w0, #OPERATION_POKE
        b.eq    operation_poke
        cmp     w0, #OPERATION_HELLO
        b.eq    operation_hello
        cmp     w0, #OPERATION_FORK
        b.eq    operation_fork
        cmp     w0, #OPERATION_END
        b.eq    refuse_permission
        mov     x0, #ENOSYS
        b       refuse

refuse_permission:
        mov     x0, #EPERM
        b       refuse
refuse_invalid:
        mov     x0, #EINVAL
        b       refuse
refuse_size:
        mov     x0, #EMSGSIZE
// x0 = status.
refuse:
        mov     x1, #0
        ret
