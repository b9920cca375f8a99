import { answer, attempt, guest, hex, host, kvm, print } from 'lab'

const program = guest('guest.s')
const dev = await kvm.open()
print('taint at first:', await host.taint())

// 1. Ask for a protected VM: bit 31 of the type, and no other.
const TYPE = 0n // <- not the right number yet
print('KVM_CREATE_VM with type', hex(TYPE, 8))
const vm = await dev.createVm({ type: TYPE })

// 2. Everything that a VM needs. It does not run yet.
const ram = await vm.addMemory({ guestAddress: program.address, bytes: 4 * 4096 })
await ram.load(program)
const vcpu = await vm.createVcpu()
await vcpu.set('pc', program.entry)
// <- here: record the taint, and the first word of the guest's program

// 3. Now it runs.
print(await vcpu.run())
answer('taint', (await host.taint()).value)
const word = await attempt(ram.read32(program.entry))
answer('word', word.ok ? word.value : word.error.code)
print('the first word of the program:', word.ok ? hex(word.value, 8) : word.error.code)

// 4. And now it is gone.
await vm.close()
answer('end', (await host.taint()).value)
