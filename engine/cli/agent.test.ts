import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as agent from '../agent/port.ts'
import type { RemoteAgentPort } from '../agent/remote-port.ts'
import { decodeFrame, encodeFrame, type Hello, type SyscallRequest } from '../agent/requests.ts'
import { assemble } from '../isa/assemble.ts'
import { allRows } from '../isa/table.ts'
import { buildInitProgram } from '../machine/init-program.ts'
import type { LocalLab } from '../worker/local-lab.ts'
import { machineFactory } from '../worker/machine-factory.ts'
import type { RunnableMachine } from '../worker/session.ts'
import { bootAgent } from './agent-machine.ts'
import { initSources } from './initrd-command.ts'
import { haveQemu, kernelOf, labInitrd, projectRoot, qemu, skipLoudly } from './oracle.ts'

const GUEST_BASE = 0x40000000n
const GUEST = `
        ldr     w0, 2f
        ldr     x1, =0x40001000
        str     w0, [x1]
        dsb     sy
        ldr     w2, [x1]
        mov     x3, #0x10000000
        str     w2, [x3]
1:      b       1b
2:      .word   0x600d600d
`
const Sys = { pipe2: 59, dup: 23, ioctl: 29, openat: 56, close: 57, read: 63, write: 64, exit: 93, nanosleep: 101, getpid: 172, munmap: 215, clone: 220, mmap: 222, mprotect: 226 }
const SIGSEGV = 11
const MAPERR = 1
const ACCERR = 2
const EINTR = -4n

function words(source: string): Uint8Array {
  const result = assemble(source, { origin: GUEST_BASE, rows: allRows })
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return result.sections[0]!.bytes
}

for (const series of ['7.2', '7.3']) {
  const kernel = kernelOf(series)
  describe.skipIf(skipLoudly(kernel === undefined, `no kernel ${series}`))(`the lab agent on Linux ${series}`, () => {
    let lab: LocalLab
    let port: RemoteAgentPort
    let hello: Hello
    let machine: RunnableMachine
    let console = ''
    const answers: Uint8Array[] = []

    const call = (request: SyscallRequest, process = 0) => agent.syscall(port, request, process)
    const result = async (number: number, ...args: (bigint | number)[]) => (await call({ number, args })).result
    const path = (text: string) => new TextEncoder().encode(`${text}\0`)
    const open = async (name: string, flags = 0) =>
      (await call({ number: Sys.openat, args: [-100, hello.scratchAddress, flags], in: path(name) })).result
    const mapPages = (bytes: number, protection = 3) => result(Sys.mmap, 0, bytes, protection, 0x22, -1, 0)
    /** Waits for answers to bytes that went to the serial port past the link. */
    const raw = async (...frames: Uint8Array[]) => {
      answers.length = 0
      for (const frame of frames) machine.receiveAgent!(frame)
      for (;;) {
        // The link's own hello comes after them.
        await agent.hello(port)
        const all = answers.map(a => decodeFrame(a))
        if (all.length > frames.length) return all.slice(0, -1)
      }
    }

    beforeAll(async () => {
      const booted = await bootAgent({
        image: readFileSync(kernel!),
        sources: initSources(projectRoot),
        append: 'kvm-arm.mode=protected cryptomgr.notests quiet',
        console: bytes => {
          console += new TextDecoder('latin1').decode(bytes)
        },
        factory: {
          check: () => {},
          create(load, events) {
            let held = new Uint8Array(0)
            machine = machineFactory.create(load, {
              ...events,
              agent(bytes) {
                const all = new Uint8Array(held.length + bytes.length)
                all.set(held)
                all.set(bytes, held.length)
                let at = 0
                while (all.length - at >= 16) {
                  const length = new DataView(all.buffer).getUint32(at, true)
                  if (length > all.length - at) break
                  answers.push(all.slice(at, at + length))
                  at += length
                }
                held = all.slice(at)
                events.agent(bytes)
              },
            })
            return machine
          },
        },
      })
      lab = booted.lab
      port = booted.agent
      hello = booted.hello
    })

    afterAll(() => lab?.close())

    it('says on the console what runs, and hello on its line', () => {
      expect(console).toContain('version=Linux version')
      expect(console).toContain('agent=ready')
      expect(hello).toMatchObject({ version: 1, pid: 1, pageSize: 4096, scratchBytes: 0x40000 })
    })

    it('makes system calls with buffers', async () => {
      expect(await result(Sys.getpid)).toBe(1n)
      const fd = await open('/proc/version')
      expect(fd).toBe(3n)
      const { result: length, out } = await call({
        number: Sys.read,
        args: [fd, hello.scratchAddress + 4096n, 512],
        out: { offset: 4096, bytes: 512 },
      })
      expect(new TextDecoder().decode(out.subarray(0, Number(length)))).toMatch(/^Linux version \d+\.\d+.*\n$/)
      expect(await result(Sys.close, fd)).toBe(0n)
      expect(await open('/nowhere')).toBe(-2n)
      expect(await result(4095)).toBe(-38n)
      expect((await call({ number: Sys.openat, args: [-100, 16, 0] })).result).toBe(-14n)
    })

    it('reads and writes its memory, and tells of faults', async () => {
      const page = await mapPages(8192)
      const data = Uint8Array.from({ length: 256 }, (_, i) => i)
      for (const width of [1, 2, 4, 8] as const) {
        expect(await agent.poke(port, page + 64n, data, 0, width)).toEqual({ stored: 256, fault: null })
        expect(await agent.peek(port, page + 64n, 256, 0, width)).toEqual({ bytes: data, fault: null })
      }
      expect(await agent.peek(port, 0n, 8)).toEqual({ bytes: new Uint8Array(0), fault: { signal: SIGSEGV, code: MAPERR, address: 0n } })
      expect(await agent.poke(port, 8n, new Uint8Array(8))).toMatchObject({ stored: 0, fault: { code: MAPERR, address: 8n } })
      expect(await result(Sys.mprotect, page + 4096n, 4096, 0)).toBe(0n)
      const across = await agent.peek(port, page + 4096n - 8n, 16)
      expect(across.bytes).toHaveLength(8)
      expect(across.fault).toEqual({ signal: SIGSEGV, code: ACCERR, address: page + 4096n })
      expect(await agent.poke(port, page + 4096n - 8n, new Uint8Array(16))).toEqual({ stored: 8, fault: across.fault })
      expect((await agent.peek(port, 0xffff000000000000n, 1)).fault?.signal).toBe(SIGSEGV)
    })

    it('moves more than a frame holds', async () => {
      const page = await mapPages(0x20000)
      const data = Uint8Array.from({ length: 0x12345 }, (_, i) => (i * 7) & 0xff)
      expect(await agent.poke(port, page, data)).toEqual({ stored: data.length, fault: null })
      expect((await agent.peek(port, page, data.length)).bytes).toEqual(data)
    })

    it('ends a call that waits when its time is up', async () => {
      const pipe = await call({ number: Sys.pipe2, args: [hello.scratchAddress, 0], out: { offset: 0, bytes: 8 } })
      const [reader] = new Uint32Array(pipe.out.buffer)
      const before = machine.virtualNanoseconds
      expect((await call({ number: Sys.read, args: [reader!, hello.scratchAddress, 1], limitMicroseconds: 30_000 })).result).toBe(EINTR)
      expect(machine.virtualNanoseconds - before).toBeGreaterThan(30e6)
      for (let i = 1; i < 20; i++) {
        expect((await call({ number: Sys.read, args: [reader!, hello.scratchAddress, 1], limitMicroseconds: i })).result).toBe(EINTR)
      }
    })

    describe('KVM', () => {
      let kvm: bigint
      const ioctl = (fd: bigint, request: number, argument: bigint | number = 0) => result(Sys.ioctl, fd, request, argument)

      async function createVm(type: number, program: string) {
        const vm = await ioctl(kvm, 0xae01, type)
        expect(vm).toBeGreaterThan(2n)
        const ram = await mapPages(0x10000)
        await agent.poke(port, ram, words(program))
        const region = new DataView(new ArrayBuffer(32))
        region.setBigUint64(8, GUEST_BASE, true)
        region.setBigUint64(16, 0x10000n, true)
        region.setBigUint64(24, ram, true)
        const set = { number: Sys.ioctl, args: [vm, 0x4020ae46, hello.scratchAddress], in: new Uint8Array(region.buffer) }
        expect((await call(set)).result).toBe(0n)
        const vcpu = await ioctl(vm, 0xae41)
        const run = await result(Sys.mmap, 0, await ioctl(kvm, 0xae04), 3, 1, vcpu, 0)
        expect(await ioctl(vm, 0x8020aeaf, hello.scratchAddress)).toBe(0n)
        await agent.poke(port, hello.scratchAddress + 4n, Uint8Array.of(4, 0, 0, 0))
        expect(await ioctl(vcpu, 0x4020aeae, hello.scratchAddress)).toBe(0n)
        const register = new DataView(new ArrayBuffer(24))
        register.setBigUint64(0, 0x6030000000100040n, true)
        register.setBigUint64(8, hello.scratchAddress + 16n, true)
        register.setBigUint64(16, GUEST_BASE, true)
        const pc = { number: Sys.ioctl, args: [vcpu, 0x4010aeac, hello.scratchAddress], in: new Uint8Array(register.buffer) }
        expect((await call(pc)).result).toBe(0n)
        return {
          ram,
          run: async (limitMicroseconds = 1_000_000) => {
            const { result } = await call({ number: Sys.ioctl, args: [vcpu, 0xae80, 0], limitMicroseconds })
            return { result, state: new DataView((await agent.peek(port, run, 64)).bytes.slice().buffer) }
          },
        }
      }

      beforeAll(async () => {
        kvm = await open('/dev/kvm', 2)
      })

      it.each([
        ['normal', 0],
        ['protected', 0x80000000],
      ])('a %s VM stores where nothing is', async (kind, type) => {
        const vm = await createVm(type, GUEST)
        const { result, state } = await vm.run()
        expect(result).toBe(0n)
        expect(state.getUint32(8, true)).toBe(6)
        expect(state.getBigUint64(32, true)).toBe(0x10000000n)
        expect(state.getUint32(40, true)).toBe(0x600d600d)
        const seen = await agent.peek(port, vm.ram + 0x1000n, 4)
        if (kind === 'normal') expect(seen).toEqual({ bytes: Uint8Array.of(0x0d, 0x60, 0x0d, 0x60), fault: null })
        else expect(seen).toEqual({ bytes: new Uint8Array(0), fault: { signal: SIGSEGV, code: ACCERR, address: vm.ram + 0x1000n } })
        // After the exit it spins.
        const spin = await vm.run(5_000)
        expect(spin.result).toBe(EINTR)
        expect(spin.state.getUint32(8, true)).toBe(10)
      })

      it('several at once, each with its own memory', async () => {
        const vms = []
        for (let i = 0; i < 3; i++) vms.push(await createVm(i === 1 ? 0x80000000 : 0, GUEST.replace('0x600d600d', `0x${i + 1}000`)))
        for (const [i, vm] of vms.entries()) {
          expect((await vm.run()).state.getUint32(40, true)).toBe((i + 1) << 12)
        }
        for (const vm of vms) expect((await vm.run(1_000)).result).toBe(EINTR)
      })
    })

    it('forks processes that serve too', async () => {
      const page = await mapPages(4096)
      await agent.poke(port, page, Uint8Array.of(1))
      const [a, b] = [await agent.fork(port), await agent.fork(port)]
      expect([a, b]).toEqual([1, 2])
      const pids = await Promise.all([0, a, b].map(process => call({ number: Sys.getpid }, process)))
      expect(new Set(pids.map(p => p.result)).size).toBe(3)
      expect((await agent.hello(port, a)).pid).toBe(Number(pids[1]!.result))
      await agent.poke(port, page, Uint8Array.of(2), a)
      expect((await agent.peek(port, page, 1, b)).bytes[0]).toBe(1)
      expect((await agent.peek(port, page, 1, a)).bytes[0]).toBe(2)
      expect(await agent.end(port, a)).toBe(0)
      await expect(agent.hello(port, a)).rejects.toMatchObject({ name: 'AgentRefusal', errno: 3 })
      // One that dies while it serves.
      await expect(call({ number: Sys.exit, args: [7] }, b)).rejects.toMatchObject({ errno: 10 })
      await expect(agent.hello(port, b)).rejects.toMatchObject({ errno: 10 })
      expect(await agent.end(port, b)).toBe(7 << 8)
      // One that loses its own program.
      const c = await agent.fork(port)
      expect(c).toBe(1)
      await expect(call({ number: 129, args: [(await call({ number: Sys.getpid }, c)).result, 9] }, c)).rejects.toMatchObject({ errno: 10 })
      expect(await agent.end(port, c)).toBe(9)
      const many = []
      for (let i = 0; i < 9; i++) many.push(await agent.fork(port))
      expect(many).toEqual([1, 2, 3, 4, 5, 6, 7, 8, -11])
      for (let i = 1; i <= 8; i++) expect(await agent.end(port, i)).toBe(0)
    })

    it('refuses what makes no sense, and what would end it', async () => {
      const status = async (op: number, payload: Uint8Array, process = 0) =>
        decodeFrame(await port.exchange(encodeFrame({ op, answer: false, process, sequence: 5, status: 0, payload }))).status
      expect(await status(99, new Uint8Array(0))).toBe(38)
      expect(await status(2, new Uint8Array(8))).toBe(22)
      expect(await status(3, new Uint8Array(4))).toBe(22)
      expect(await status(1, new Uint8Array(0), 77)).toBe(3)
      expect(await status(6, new Uint8Array(0))).toBe(1)
      // peek: 3 bytes wide; more than an answer holds
      expect(await status(3, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0))).toBe(22)
      expect(await status(3, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0))).toBe(90)
      for (const [number, ...args] of [[Sys.exit, 0], [94, 0], [221], [Sys.clone, 17], [Sys.munmap, 0x400000, 0x1000000], [Sys.close, 200], [139], [117, 0]]) {
        await expect(call({ number: number!, args })).rejects.toMatchObject({ errno: 1 })
      }
      await expect(agent.poke(port, 0x500000n, new Uint8Array(8))).rejects.toMatchObject({ errno: 1 })
      // Closing what is not its own, even its console, is allowed.
      expect(await result(Sys.close, 150)).toBe(-9n)
      // Scratch memory taken away.
      expect(await result(Sys.mprotect, hello.scratchAddress, 4096, 0)).toBe(0n)
      await expect(call({ number: Sys.getpid, in: Uint8Array.of(1) })).rejects.toMatchObject({ errno: 14 })
      expect(await result(Sys.mprotect, hello.scratchAddress, 4096, 3)).toBe(0n)
      expect(await result(Sys.getpid)).toBe(1n)
    })

    it('survives garbage on its line', async () => {
      const oversized = encodeFrame({ op: 2, answer: false, process: 0, sequence: 9, status: 0, payload: new Uint8Array(20_000) })
      expect(await raw(oversized)).toMatchObject([{ op: 2, sequence: 9, status: 90 }])
      answers.length = 0
      machine.receiveAgent!(Uint8Array.from({ length: 5000 }, (_, i) => (i * 131) & 0xff))
      // Whatever is sent while the line is not quiet is lost with the garbage.
      while (answers.length === 0) await new Promise(resolve => setImmediate(resolve))
      expect(decodeFrame(answers[0]!).status).toBe(22)
      expect(await result(Sys.getpid)).toBe(1n)
    })

    it('does the same again from a kept moment, and requests wait while the machine is paused', async () => {
      const kept = lab.next('checkpointTaken')
      lab.post({ type: 'checkpoint' })
      await kept
      const script = async () => {
        for (let i = 0; i < 5; i++) await result(Sys.getpid)
        const process = await agent.fork(port)
        await agent.peek(port, hello.scratchAddress, 100, process)
        await agent.end(port, process)
        const hash = lab.next('hash')
        lab.post({ type: 'stateHash' })
        return await hash
      }
      const first = await script()
      const under = Promise.allSettled([call({ number: Sys.getpid })])
      lab.post({ type: 'restore', run: true })
      expect(await under).toMatchObject([{ reason: { message: 'The machine was taken back to an earlier moment.' } }])
      expect(await script()).toEqual(first)

      lab.post({ type: 'pause' })
      const at = machine.instructions
      const waits = result(Sys.getpid)
      for (let i = 0; i < 20; i++) await new Promise(resolve => setImmediate(resolve))
      expect(machine.instructions).toBe(at)
      lab.post({ type: 'resume' })
      expect(await waits).toBe(1n)
    })

    it('when a script destroys it, the machine says so and stops', async () => {
      lab.post({ type: 'restore', run: true })
      const pipe = await call({ number: Sys.pipe2, args: [hello.scratchAddress, 0], out: { offset: 0, bytes: 8 } })
      const [reader, writer] = new Uint32Array(pipe.out.buffer)
      expect(await result(Sys.write, writer!, hello.scratchAddress, 60_000)).toBe(60_000n)
      const program = buildInitProgram(initSources(projectRoot))
      const data = new DataView(program.buffer).getBigUint64(64 + 56 + 16, true)
      console = ''
      const stopped = lab.next('stopped')
      const asked = Promise.allSettled([result(Sys.read, reader!, data, 60_000), result(Sys.getpid)])
      expect((await stopped).reason).toBe('off')
      expect(console).toContain('agent=SIGSEGV')
      expect((await asked)[1]).toMatchObject({ reason: { name: 'AgentGoneError' } })
      lab.post({ type: 'restore', run: true })
      expect(await result(Sys.getpid)).toBe(1n)
    })

    it('its requests fail with a reason once the machine is gone', async () => {
      const both = Promise.allSettled([call({ number: Sys.nanosleep, args: [0] }), call({ number: Sys.getpid })])
      lab.post({ type: 'reset' })
      const reason = { name: 'AgentGoneError', message: 'The machine was reset.' }
      expect(await both).toMatchObject([{ reason }, { reason }])
      await expect(call({ number: Sys.getpid })).rejects.toThrow('There is no machine')
    })
  })
}

const anyKernel = kernelOf('7.2') ?? kernelOf('7.3')
it.skipIf(skipLoudly(!haveQemu || anyKernel === undefined, 'no QEMU or no kernel'))('a computer without a second serial port has no agent, and says so', async () => {
  const run = await qemu(anyKernel!, await labInitrd(), 'console=ttyAMA0 quiet cryptomgr.notests lab.init=agent')
  expect(run.stdout).toContain('agent=ENOENT')
  expect(run.status).toBe(0)
})

describe('a machine that has no agent to offer', () => {
  const sources = initSources(projectRoot)
  it('because it cannot be made', async () => {
    await expect(bootAgent({ image: new Uint8Array(100), sources })).rejects.toThrow(/Image/)
  })
  it('because it is over at once', async () => {
    // An Image whose only instructions ask PSCI for SYSTEM_OFF.
    const image = new Uint8Array(4096)
    const view = new DataView(image.buffer)
    view.setUint32(0, 0x14000010, true)
    view.setBigUint64(16, 4096n, true)
    view.setBigUint64(24, 0b1010n, true)
    view.setUint32(56, 0x644d5241, true)
    for (const [i, word] of [0xd2b08000, 0xf2800100, 0xd4000003].entries()) view.setUint32(64 + 4 * i, word, true)
    await expect(bootAgent({ image, sources })).rejects.toThrow('The machine is off.')
  })
})
