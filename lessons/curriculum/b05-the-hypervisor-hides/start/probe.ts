import { answer, kvm, print } from 'lab'

// Nothing is asked of the hypervisor that it could not do before; what has changed is what the host can see of it.
const vm = await (await kvm.open()).createVm()
await vm.createVcpu()
await vm.close()
answer('vm', true)
print('a VM was made, and is gone')
