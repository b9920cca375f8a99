// A VMM of one page. It makes a protected VM, runs guest.s in it, and then tries to read each page of the guest's RAM:
// the guest shared one of the four, the hypervisor keeps the host from the others.
import { answer, attempt, guest, hex, host, kvm, print } from 'lab'

const program = guest('guest.s')

const dev = await kvm.open()
const vm = await dev.createVm({ protected: true })
print('taint after KVM_CREATE_VM:', (await host.taint()).names.join(' '))

const ram = await vm.addMemory({ guestAddress: program.address, bytes: 0x4000 })
await ram.load(program)

const vcpu = await vm.createVcpu()
await vcpu.set('pc', program.entry)

const exit = await vcpu.run()
if (exit.reason !== 'mmio' || !exit.isWrite) throw new Error(`expected the guest at its doorbell, got ${exit.reason}`)
print('the guest rang at', hex(exit.address), 'and says MEM_SHARE returned', exit.value)

const readable: bigint[] = []
for (let page = ram.guestAddress; page < ram.guestAddress + 0x4000n; page += 0x1000n) {
  const read = await attempt(ram.read(page, 16))
  print(hex(page), read.ok ? 'the host can read it' : `the host gets ${read.error.code}`)
  if (read.ok) readable.push(page)
}

const message = await ram.readText(program.symbol('SHARED'))
print('message:', message)

answer('readable', readable)
answer('message', message)

print('then:', await vcpu.run())
await vm.close()
await dev.close()
