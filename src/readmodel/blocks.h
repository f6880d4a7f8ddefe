// Copy-on-write blocks: what changed since the last publishing is ours to write, everything else is shared.
//
// Invariants
//   * A block whose `epoch` is the current one was made after the last publishing: no reader has seen it, so the
//     writer may change it in place. Any other block is copied before the first change.
//   * One writer; a published Spine and its blocks never change.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

namespace millrace::readmodel {

// Overload beside a block type when its copy should do more (tidy up).
template <class Block>
std::shared_ptr<Block> copy_block(const Block& block) {
  return std::make_shared<Block>(block);
}

template <class Block>
class Blocks {
 public:
  using Spine = std::vector<std::shared_ptr<const Block>>;

  Blocks() : spine_(std::make_shared<Spine>()) {}

  // The block to write at `index`, made when there is none.
  Block& own(std::size_t index, std::uint64_t epoch) {
    if (spine_epoch_ != epoch) {
      spine_ = std::make_shared<Spine>(*spine_);
      spine_epoch_ = epoch;
    }
    if (index >= spine_->size()) spine_->resize(index + 1);
    std::shared_ptr<const Block>& block = (*spine_)[index];
    if (block == nullptr || block->epoch != epoch) {
      std::shared_ptr<Block> fresh = block == nullptr ? std::make_shared<Block>() : copy_block(*block);
      fresh->epoch = epoch;
      block = std::move(fresh);
    }
    return const_cast<Block&>(*block);  // made by make_shared<Block> above, seen by nobody yet
  }

  // A block made elsewhere, in the place of none.
  void adopt(std::size_t index, std::shared_ptr<Block> block, std::uint64_t epoch) {
    if (spine_epoch_ != epoch) {
      spine_ = std::make_shared<Spine>(*spine_);
      spine_epoch_ = epoch;
    }
    if (index >= spine_->size()) spine_->resize(index + 1);
    block->epoch = epoch;
    (*spine_)[index] = std::move(block);
  }

  const Block* find(std::size_t index) const {
    return index < spine_->size() ? (*spine_)[index].get() : nullptr;
  }
  std::size_t size() const { return spine_->size(); }
  std::shared_ptr<const Spine> share() const { return spine_; }

 private:
  std::shared_ptr<Spine> spine_;
  std::uint64_t spine_epoch_ = 0;
};

}  // namespace millrace::readmodel
