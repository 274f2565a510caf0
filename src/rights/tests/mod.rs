//! Proofs of the decision.
