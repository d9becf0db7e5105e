enum CustomResourcePlaceholder {}
