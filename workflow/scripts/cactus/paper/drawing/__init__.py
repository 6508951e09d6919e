"""What several figures draw alike: texts that fit, and pictures of images."""
