//! Only tests: the larder command against a real Arcade.
