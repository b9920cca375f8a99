import { expect, test } from 'vitest'
import { decodeFrame, encodeFrame } from '../../engine/agent/requests.ts'
import { Op } from '../../engine/agent/wire.ts'
import { errnoName } from './errno.ts'
import { armMode, explain, isExplained } from './explain.ts'
import { directoryNames } from './files.ts'
import { meminfo, messageLines, taintOf } from './host.ts'
import { CAPABILITY, ioctlName, KVM } from './kvm-numbers.ts'
import { littleEndian, memoryRegion, oneReg, readRun, wordOf, vcpuInit } from './kvm-structs.ts'
import { makeLab } from './make-lab.ts'
import { hex, printed } from './print.ts'
import { REGISTER_ID, registerBytes, registerName } from './registers.ts'
import { readMappings, sourceLine, splitSourceMap } from './source-place.ts'
import { SYSCALL } from './syscall-numbers.ts'
import type { TraceEntry } from './trace.ts'

test('ioctl requests are those of linux/kvm.h', () => {
  // As `_IO`, `_IOW`, `_IOR` and `_IOWR` of the header give them on arm64.
  expect(KVM).toEqual({
    GET_API_VERSION: 0xae00,
    CREATE_VM: 0xae01,
    CHECK_EXTENSION: 0xae03,
    GET_VCPU_MMAP_SIZE: 0xae04,
    CREATE_VCPU: 0xae41,
    SET_USER_MEMORY_REGION: 0x4020ae46,
    RUN: 0xae80,
    GET_ONE_REG: 0x4010aeab,
    SET_ONE_REG: 0x4010aeac,
    ARM_VCPU_INIT: 0x4020aeae,
    ARM_PREFERRED_TARGET: 0x8020aeaf,
    GET_REG_LIST: 0xc008aeb0,
  })
  expect(ioctlName(0xae80n)).toBe('KVM_RUN')
  expect(ioctlName(0x1234)).toBe('0x1234')
  expect(CAPABILITY.KVM_CAP_ARM_VM_IPA_SIZE).toBe(165)
})

test('system call numbers are those of asm-generic/unistd.h', () => {
  expect([SYSCALL.ioctl, SYSCALL.openat, SYSCALL.close, SYSCALL.pipe2, SYSCALL.read, SYSCALL.write, SYSCALL.pread64]).toEqual([29, 56, 57, 59, 63, 64, 67])
  expect([SYSCALL.munmap, SYSCALL.mmap, SYSCALL.prlimit64, SYSCALL.process_vm_readv, SYSCALL.memfd_create]).toEqual([215, 222, 261, 270, 279])
})

test('register ids are those that the kernel lists', () => {
  expect(REGISTER_ID.x0).toBe(0x6030_0000_0010_0000n)
  expect(REGISTER_ID.x30).toBe(0x6030_0000_0010_003cn)
  expect(REGISTER_ID.sp).toBe(0x6030_0000_0010_003en)
  expect(REGISTER_ID.pc).toBe(0x6030_0000_0010_0040n)
  expect(REGISTER_ID.pstate).toBe(0x6030_0000_0010_0042n)
  expect(REGISTER_ID.sp_el1).toBe(0x6030_0000_0010_0044n)
  expect(REGISTER_ID.sctlr_el1).toBe(0x6030_0000_0013_c080n)
  expect(REGISTER_ID.mpidr_el1).toBe(0x6030_0000_0013_c005n)
  expect(REGISTER_ID.cntv_cval_el0).toBe(0x6030_0000_0013_df02n)
  expect(registerBytes(REGISTER_ID.pc)).toBe(8)
  expect(registerBytes(0x6040_0000_0010_0054n)).toBe(16)
  expect(registerName(REGISTER_ID.vbar_el1)).toBe('vbar_el1')
  expect(new Set(Object.values(REGISTER_ID)).size).toBe(Object.keys(REGISTER_ID).length)
})

const hexOf = (bytes: Uint8Array) => [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('')

test('structures have the layout of linux/kvm.h', () => {
  const region = memoryRegion({ slot: 3, flags: 2, guestAddress: 0x4000_0000n, bytes: 0x1_0000, userAddress: 0xffff_1234_5000n })
  expect(hexOf(region)).toBe(`03000000${'02000000'}${'0000004000000000'}${'0000010000000000'}${'00503412ffff0000'}`)
  expect(hexOf(vcpuInit(5, [0, 2, 33]))).toBe(`05000000${'05000000'}${'02000000'}${'00000000'.repeat(5)}`)
  expect(hexOf(oneReg(REGISTER_ID.pc, 0x1000n))).toBe('4000100000003060' + '0010000000000000')
  expect(wordOf(littleEndian(-1n, 8))).toBe(0xffff_ffff_ffff_ffffn)
  expect(littleEndian(0x1122_3344n, 2)).toEqual(new Uint8Array([0x44, 0x33]))
})

test('struct kvm_run is read by its exit reason', () => {
  const bytes = new Uint8Array(168)
  const view = new DataView(bytes.buffer)
  view.setUint32(8, 6, true)
  view.setBigUint64(32, 0x1000_0000n, true)
  view.setUint32(40, 0xcafe, true)
  view.setUint32(48, 4, true)
  view.setUint8(52, 1)
  const { exitReason, mmio } = readRun(bytes)
  expect(exitReason).toBe(6)
  expect(mmio).toEqual({ address: 0x1000_0000n, data: new Uint8Array([0xfe, 0xca, 0, 0]), length: 4, isWrite: true })
  view.setUint32(32, 2, true)
  view.setUint32(36, 1000, true)
  // ndata is the kernel's; more than the array has room for is not believed.
  expect(readRun(bytes).systemEvent.data).toHaveLength(16)
})

test('an errno is explained by the call and the machine', () => {
  const type = 0x8000_0000n
  const of = (commandLine: string) => explain('KVM_CREATE_VM', 22, { commandLine, vmType: type })
  expect(of('console=ttyAMA0')).toContain('says nothing about kvm-arm.mode')
  expect(of('kvm-arm.mode=protected kvm-arm.mode=nvhe')).toContain('kvm-arm.mode=nvhe')
  expect(of('kvm_arm.mode=protected')).toContain('PROTECTED_VM_UAPI=n')
  expect(explain('KVM_CREATE_VM', 22, { vmType: 0x100n })).toContain('0x100')
  expect(explain('KVM_CREATE_VM', 12)).toContain('255')
  expect(explain('KVM_RUN', 12)).toContain('RLIMIT_MLOCK')
  expect(explain('openat /dev/kvm', 2)).toContain('kvm-arm.mode=none')
  // By the call alone, by the errno alone, by nothing.
  expect(explain('openat /some/file', 2)).toContain('initrd')
  expect(explain('kill', 3)).toBe('There is no such process.')
  expect(explain('kill', 1000)).toBe('The kernel refused with errno 1000.')
  expect(errnoName(133)).toBe('EHWPOISON')
  for (const [call, errno] of [['KVM_CREATE_VCPU', 17], ['KVM_RUN', 8], ['KVM_RUN', 14], ['KVM_RUN', 9], ['write pipe', 14], ['pread64 /proc/self/mem', 5], ['prlimit64', 1]] as const) {
    expect(isExplained(call, errno), `${call} ${errno}`).toBe(true)
  }
  expect(armMode('a kvm-arm.mode=nvhe b')).toBe('nvhe')
})

test('files of the host are read as they are written', () => {
  expect(taintOf(64 | 512)).toEqual({ value: 576, names: ['TAINT_USER', 'TAINT_WARN'] })
  expect(messageLines('<6>[    0.000000] Booting Linux\n<4>[   12.5] x\n')).toEqual(['Booting Linux', 'x'])
  expect(meminfo('MemFree:    1024 kB\nHugePages_Total:   3\n')).toEqual({ MemFree: 1_048_576, HugePages_Total: 3 })
  const entry = new Uint8Array(24)
  new DataView(entry.buffer).setUint16(16, 24, true)
  entry.set(new TextEncoder().encode('kvm\0'), 19)
  expect(directoryNames(entry)).toEqual(['kvm'])
})

test('print shows addresses as people read them', () => {
  expect(printed(['at', 0x4000_0000n, 12, null, { a: [1n] }])).toBe('at 0x40000000 12 null { a: [0x1] }')
  expect(printed([new Uint8Array([1, 255])])).toBe('01 ff')
  expect(printed([new Uint8Array(20)])).toContain('0010  00 00 00 00')
  expect(hex(-5)).toBe('-0x5')
  expect(hex(5n, 4)).toBe('0x0005')
})

test('source maps lead back to lines', () => {
  expect(readMappings('AAAA;AACA,IAEA')).toEqual([[{ column: 0, line: 0 }], [{ column: 0, line: 1 }, { column: 4, line: 3 }]])
  const map = btoa(JSON.stringify({ version: 3, sources: ['main.ts'], mappings: ';AAEA' }))
  const { code, lines } = splitSourceMap(`a\nb\n//# sourceMappingURL=data:application/json;base64,${map}`)
  expect(code).toBe('a\nb\n')
  expect(sourceLine(lines, 2, 1)).toBe(3)
  expect(sourceLine(null, 7, 1)).toBe(7)
})

/** A port that answers `hello` and nothing else, and remembers that it was asked. */
function silentPort() {
  const asked: number[] = []
  return {
    asked,
    exchange(frame: Uint8Array): Promise<Uint8Array> {
      const { op, process, sequence } = decodeFrame(frame)
      asked.push(op)
      const payload = new Uint8Array(32)
      const view = new DataView(payload.buffer)
      view.setUint32(0, 1, true)
      view.setBigUint64(8, 4096n, true)
      view.setBigUint64(24, 65_536n, true)
      const answer = encodeFrame({ op, answer: true, process, sequence, status: 0, payload })
      return op === Op.hello ? Promise.resolve(answer) : Promise.reject(new Error(`operation ${op} was sent`))
    },
  }
}

test('wrong arguments are named before anything is sent', async () => {
  const port = silentPort()
  const trace: TraceEntry[] = []
  const lab = await makeLab({ port, guests: {}, onPrint: () => {}, onAnswer: () => {}, onTrace: entry => trace.push(entry), moment: () => null, place: () => null, admit: () => {} })
  // biome-ignore lint/suspicious/noExplicitAny: what the compiler would refuse is what is tried
  const any = lab as any
  const refused = async (call: Promise<unknown>, message: string) => {
    const error = await call.then(
      () => null,
      (thrown: Error) => thrown,
    )
    expect(error).toBeInstanceOf(TypeError)
    expect(error?.message).toBe(message)
  }
  await refused(any.mem.read(0x1000, 4), 'mem.read: address must be a bigint, not the number 4096: write 0x1000n.')
  await refused(any.mem.read('x', 4), 'mem.read: address must be a bigint such as 0x40000000n, not the string "x".')
  await refused(any.mem.read(0x1000n, 1.5), 'mem.read: bytes must be a whole number, not the number 1.5.')
  await refused(any.mem.read(0x1000n, -1), 'mem.read: bytes must be from 0 to 16777216, not the number -1.')
  await refused(any.mem.read32(0x1002n), 'mem.read32: address must be a multiple of 4, not 0x1002n.')
  await refused(any.mem.write(0x1000n, [1]), 'mem.write: bytes must be a Uint8Array, not an array.')
  await refused(any.mem.map(4096, { populat: true }), 'mem.map: options has no "populat"; there is protection, shared, populate, at.')
  await refused(any.syscall('opena', 0), 'syscall: there is no system call "opena"; did you mean "openat"?')
  await refused(any.syscall('close', {}), 'syscall: argument 1 must be a whole number, a bigint, a string or a Uint8Array, not {}.')
  await refused(any.syscall('close', Promise.resolve(1)), 'syscall: argument 1 must be a whole number, a bigint, a string or a Uint8Array, not {}.')
  await refused(any.host.getRlimit('mem'), 'host.getRlimit: there is no resource "mem"')
  await refused(any.host.setRlimit('memlock', 5), 'host.setRlimit: limit must be an object such as { current: … }, not the number 5.')
  await refused(any.proc.read(5), 'proc.read: path must be a string, not the number 5.')
  expect(() => any.guest('x.s')).toThrow('guest: the workspace has no "x.s"; it has no .s file.')
  expect(() => any.answer('x', () => {})).toThrow('answer: a value must be text')
  expect(port.asked).toEqual([Op.hello])
  expect(trace.filter(entry => entry.state === 'failed')).toHaveLength(13)
})
