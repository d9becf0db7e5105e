"""Operations that this package answers itself, because the emulator's answer is not AWS's."""
