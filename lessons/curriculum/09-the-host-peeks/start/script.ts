import { answer, type Attempt, attempt, type Exit, guest, kvm, mem, print } from 'lab'

const program = guest('guest.s')
const SECRET = program.symbol('SECRET')

const dev = await kvm.open()
const vm = await dev.createVm({ protected: true })
const ram = await vm.addMemory({ guestAddress: program.address, bytes: 4 * 4096 })
await ram.load(program)
const vcpu = await vm.createVcpu()
await vcpu.set('pc', program.entry)

/** What the guest rang with; why it stopped, when it did not ring. */
const rung = (exit: Exit) => (exit.reason === 'mmio' && exit.isWrite ? exit.value : exit.reason)

/** Notes what came of a peek: the bytes, or the error's name. */
function note(name: string, peek: Attempt<Uint8Array>) {
  const found = peek.ok ? peek.value : peek.error.code
  answer(name, found)
  print(name, '->', found)
}

const secret = rung(await vcpu.run())
print('the guest rings with its secret:', secret)
const address = ram.hostAddress(SECRET) // the same page in the VMM's process

// 1. A load, as any program makes it.
note('load', await attempt(mem.read(address, 8)))

// 2. A system call that has the kernel copy from this address.
// <- note it as 'call'; look through what `mem` has

answer('intact', rung(await vcpu.run()) === secret)

// 3. A file of /proc by which the kernel finds the physical page, and reads it through its own map.
// <- note it as 'proc'

const last = rung(await vcpu.run())
print('and the guest:', last)
answer('last', last)
