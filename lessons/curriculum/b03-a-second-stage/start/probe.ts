import { answer, attempt, guest, kvm, print } from 'lab'

// A protected VM runs. Then the host looks at the guest's first page, which is the guest's alone.
const vm = await (await kvm.open()).createVm({ protected: true })
const ram = await vm.addMemory({ guestAddress: 0x4000_0000n, bytes: 0x4000 })
const vcpu = await vm.createVcpu()
await vcpu.set('pc', await ram.load(guest('guest.s')))
await vcpu.run()

const peek = await attempt(ram.read32(0x4000_0000n))
print(peek.ok ? `the host reads the guest's page: ${peek.value.toString(16)}` : `the host may not: ${peek.error.code}`)
answer('peek', peek.ok ? 'read' : peek.error.code)
await vm.close()
