// What can be wrong with a lock that lives in a file.
#include "faults/lease_release_foreign.hpp"
#include "faults/lease_shared_temp.hpp"
#include "faults/lease_stale_unlink.hpp"
#include "faults/lease_temp_orphan.hpp"
#include "faults/lease_unlink_rewrite.hpp"
#include "subjects/systems.hpp"

namespace threadbare {

std::unique_ptr<Systems> make_lease_release_foreign(const ObjectsSpec &spec) {
  return make_systems<fault::LeaseReleaseForeign>(spec);
}

std::unique_ptr<Systems> make_lease_shared_temp(const ObjectsSpec &spec) {
  return make_systems<fault::LeaseSharedTemp>(spec);
}

std::unique_ptr<Systems> make_lease_stale_unlink(const ObjectsSpec &spec) {
  return make_systems<fault::LeaseStaleUnlink>(spec);
}

std::unique_ptr<Systems> make_lease_temp_orphan(const ObjectsSpec &spec) {
  return make_systems<fault::LeaseTempOrphan>(spec);
}

std::unique_ptr<Systems> make_lease_unlink_rewrite(const ObjectsSpec &spec) {
  return make_systems<fault::LeaseUnlinkRewrite>(spec);
}

}  // namespace threadbare
